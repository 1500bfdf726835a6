/* SPDX-License-Identifier: MIT */
#include "ctl/certificates.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "server/certificates.h"
#include "server/tlsserver.h"

#include "base/banned.h"

static bool
is_forbidden(const struct conf_text *text)
{
	return text->path != NULL && access(text->path, R_OK) < 0 &&
	       errno == EACCES;
}

/* A key that only root reads is how it should be. */
static bool
has_forbidden(const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->local_name_count; i++)
		if (is_forbidden(&settings->local_names[i].ssl_cert) ||
			is_forbidden(&settings->local_names[i].ssl_key))
			return true;
	return is_forbidden(&settings->ssl_cert) ||
	       is_forbidden(&settings->ssl_key);
}

static int
read_all(struct arena *arena, const struct settings *settings,
	struct certificates *certificates, struct err *err)
{
	int fd, result;

	if (certificates_write(settings, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return 0;
	result = certificates_read(arena, fd, certificates, err);
	fd_close(&fd);
	return result;
}

static int
try_server(const struct settings *settings,
	const struct certificates *certificates, struct err *err)
{
	struct tls_server *server = NULL;

	if (tlsserver_open(settings, certificates, &server, err) < 0)
		return -1;
	tls_server_close(&server);
	return 0;
}

bool
certificates_problem(struct arena *arena, const struct settings *settings,
	struct conf_problem *problem_out)
{
	struct certificates certificates = {.count = 0};
	struct err err;

	*problem_out = (struct conf_problem){
		.is_warning = true, .place = conf_place(settings, "ssl_cert")};
	if (has_forbidden(settings)) {
		problem_out->text = "ssl_cert, ssl_key: only another user may "
				    "read them; they are not checked";
		return true;
	}
	if (read_all(arena, settings, &certificates, &err) < 0 ||
		(certificates.count > 0 &&
			try_server(settings, &certificates, &err) < 0)) {
		problem_out->is_warning = false;
		problem_out->text =
			arena_text(arena, str_from(err_log_text(&err)));
		return true;
	}
	problem_out->text = tlsserver_ending(arena, &certificates);
	return problem_out->text != NULL;
}
