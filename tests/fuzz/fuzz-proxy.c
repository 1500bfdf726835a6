/* A proxy's header: what is decided of the beginning of some bytes holds for all of
 * them, and nothing is read beyond.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "lmtp/peer.h"
#include "lmtp/proxy.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_done(struct str bytes, const struct proxy_header *header)
{
	struct session_peer peer;

	if (header->length == 0 || header->length > bytes.len ||
		header->length > PROXY_BYTES_MAX)
		BUG("a header of a wrong length");
	if (!header->has_client)
		return;
	peer_read(&header->client, &peer);
	if (!peer.is_inet || peer.ip[0] == '\0')
		BUG("a client without address");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of((const char *)data, size);
	struct proxy_header whole, part;
	enum proxy_result result = proxy_parse(bytes, &whole);
	size_t len;

	if (result == PROXY_DONE)
		check_done(bytes, &whole);
	if (result == PROXY_MORE && size > PROXY_BYTES_MAX)
		BUG("waits for ever");
	for (len = 0; len < size && len < 200; len++) {
		enum proxy_result early =
			proxy_parse(str_slice(bytes, 0, len), &part);

		if (early == PROXY_MORE)
			continue;
		if (early != result || part.length != whole.length)
			BUG("another header in pieces");
	}
	return 0;
}
