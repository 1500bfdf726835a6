/* SPDX-License-Identifier: MIT */
#include "server/certificates.h"

#include <sys/mman.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/number.h"
#include "conf/conf.h"

#include "base/banned.h"

/* ---- writing ---- */

/* "LENGTH:BYTES" */
static void
put(struct buf *out, struct str bytes)
{
	buf_add_format(out, "%zu:", bytes.len);
	buf_add(out, bytes);
}

static int
put_text(struct arena *arena, const struct conf_text *text, const char *setting,
	struct buf *out, struct err *err)
{
	struct str bytes = STR_EMPTY;

	if (conf_read_text(arena, text, &bytes, err) < 0) {
		err_temp(err, "4.3.5", "%s: %s", setting,
			arena_text(arena, str_from(err_log_text(err))));
		return -1;
	}
	put(out, bytes);
	return 0;
}

static bool
is_given(const struct conf_text *text)
{
	return text->path != NULL || text->text[0] != '\0';
}

static int
put_certificate(struct arena *arena, const struct conf_local_name *local,
	struct buf *out, struct err *err)
{
	const char *of = local->name[0] != '\0' ? " of local_name " : "";

	if (!is_given(&local->ssl_cert) || !is_given(&local->ssl_key))
		return err_temp(err, "4.3.5", "%s%s%s is missing",
			is_given(&local->ssl_cert) ? "ssl_key" : "ssl_cert", of,
			local->name);
	put(out, str_from(local->name));
	if (put_text(arena, &local->ssl_cert, "ssl_cert", out, err) < 0 ||
		put_text(arena, &local->ssl_key, "ssl_key", out, err) < 0)
		return -1;
	return put_text(
		arena, &local->ssl_key_password, "ssl_key_password", out, err);
}

static int
put_all(struct arena *arena, const struct settings *settings, struct buf *out,
	struct err *err)
{
	const struct conf_local_name own = {.name = "",
		.ssl_cert = settings->ssl_cert,
		.ssl_key = settings->ssl_key,
		.ssl_key_password = settings->ssl_key_password};
	size_t i;

	if (put_text(arena, &settings->ssl_ca, "ssl_ca", out, err) < 0 ||
		put_certificate(arena, &own, out, err) < 0)
		return -1;
	for (i = 0; i < settings->local_name_count; i++)
		if (put_certificate(
			    arena, &settings->local_names[i], out, err) < 0)
			return -1;
	return 0;
}

/* What would be answered in the clear otherwise must not be. */
static bool
is_needed(const struct settings *settings)
{
	size_t i, j;

	if (settings->ssl == CONF_SSL_REQUIRED)
		return true;
	for (i = 0; i < settings->service_count; i++) {
		const struct conf_service *service = &settings->services[i];

		for (j = 0; j < service->listener_count; j++)
			if (service->listeners[j].is_inet &&
				service->listeners[j].port > 0 &&
				service->listeners[j].ssl == CONF_LISTENER_TLS)
				return true;
	}
	return false;
}

static bool
is_wanted(const struct settings *settings)
{
	return is_given(&settings->ssl_cert) || is_given(&settings->ssl_key) ||
	       settings->local_name_count > 0 || is_needed(settings);
}

static int
write_file(struct str bytes, int *fd_out, struct err *err)
{
	int fd = memfd_create("certificates", MFD_CLOEXEC);

	if (fd < 0 || fd_write(fd, bytes) < 0) {
		err_temp_errno(err, "4.3.0", "cannot write certificates");
		fd_close(&fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

int
certificates_write(
	const struct settings *settings, int *fd_out, struct err *err)
{
	struct arena *arena;
	struct buf all;
	int result;

	*fd_out = -1;
	if (settings->ssl == CONF_SSL_NO && !is_needed(settings))
		return 0;
	if (settings->ssl == CONF_SSL_NO)
		return err_temp(err, "4.3.5",
			"a listener has ssl = yes, but ssl = no forbids TLS");
	if (!is_wanted(settings))
		return 0;
	arena = arena_open();
	buf_init(&all, CERTIFICATES_BYTES_MAX);
	result = put_all(arena, settings, &all, err);
	if (result == 0)
		result = write_file(buf_view(&all), fd_out, err);
	buf_clear(&all);
	arena_close(&arena);
	return result;
}

/* ---- reading ---- */

static bool
take(struct str *rest, struct str *bytes_out)
{
	struct str digits;
	uint64_t len;

	if (!str_has_char(*rest, ':') || !str_next_field(rest, ':', &digits) ||
		number_parse(digits, &len) < 0 || len > rest->len)
		return false;
	*bytes_out = str_slice(*rest, 0, (size_t)len);
	*rest = str_skip(*rest, (size_t)len);
	return true;
}

static bool
take_certificate(
	struct arena *arena, struct str *rest, struct certificate *certificate)
{
	struct str name;

	if (!take(rest, &name) || !take(rest, &certificate->chain) ||
		!take(rest, &certificate->key) ||
		!take(rest, &certificate->password))
		return false;
	certificate->name = arena_text(arena, name);
	return true;
}

static bool
take_all(
	struct arena *arena, struct str rest, struct certificates *certificates)
{
	size_t size = 0;

	if (!take(&rest, &certificates->authorities))
		return false;
	while (rest.len > 0) {
		if (certificates->count == size) {
			size = size == 0 ? 4 : size * 2;
			certificates->items = arena_grow(arena,
				certificates->items, sizeof(struct certificate),
				certificates->count, size);
		}
		if (!take_certificate(arena, &rest,
			    &certificates->items[certificates->count]))
			return false;
		certificates->count++;
	}
	return true;
}

static int
read_file(int fd, struct buf *all)
{
	ssize_t got;
	char *room;

	do {
		room = buf_reserve(all, 65536);
		if (room == NULL)
			return -1;
		/* The offset is shared with who wrote it. */
		got = fd_read_at(fd, room, 65536, all->len);
		if (got < 0)
			return -1;
		all->len += (size_t)got;
	} while (got > 0);
	return 0;
}

int
certificates_read(struct arena *arena, int fd,
	struct certificates *certificates_out, struct err *err)
{
	struct buf all;
	int result = -1;

	*certificates_out = (struct certificates){.count = 0};
	buf_init(&all, CERTIFICATES_BYTES_MAX + 65536);
	if (read_file(fd, &all) < 0)
		err_temp_errno(err, "4.3.0", "cannot read certificates");
	else if (!take_all(arena, arena_copy(arena, buf_view(&all)),
			 certificates_out))
		err_temp(err, "4.3.0", "master sent broken certificates");
	else
		result = 0;
	buf_clear(&all);
	return result;
}
