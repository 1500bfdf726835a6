/* SPDX-License-Identifier: MIT */
#include "server/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/number.h"
#include "server/histogram.h"

#include "base/banned.h"

enum type { COUNTER, GAUGE };

/* Rows of one metric stand together; the first one's help counts. */
struct row {
	const char *metric;
	const char *labels; /* "" = none */
	enum type type;
	const char *kind; /* of process; "" = the server as a whole */
	const char *name; /* of its counter */
	const char *less; /* another one that is in it and not meant; or NULL */
	const char *help;
};

/* clang-format off */
static const struct row rows[] = {
	{"doorstep_connections", "", GAUGE, "front", "connections", NULL,
		"LMTP connections at this moment."},
	{"doorstep_connections_total", "", COUNTER, "front",
		"connections_total", NULL, "LMTP connections that were let in."},
	{"doorstep_connections_refused_total", "", COUNTER, "front",
		"connections_refused", NULL,
		"Connections refused by network, peer, number or memory."},
	{"doorstep_tls_sessions_total", "version=\"1.2\"", COUNTER, "front",
		"tls_1_2", NULL, "TLS handshakes that succeeded, by version."},
	{"doorstep_tls_sessions_total", "version=\"1.3\"", COUNTER, "front",
		"tls_1_3", NULL, ""},
	{"doorstep_tls_resumed_total", "", COUNTER, "front", "tls_resumed",
		NULL, "TLS handshakes that resumed a session."},
	{"doorstep_tls_failures_total", "", COUNTER, "front", "tls_failed",
		NULL, "TLS handshakes that failed."},
	{"doorstep_messages_total", "", COUNTER, "front", "transactions", NULL,
		"Messages that came in whole."},
	{"doorstep_message_bytes_total", "", COUNTER, "front", "bytes", NULL,
		"Bytes of those messages."},
	{"doorstep_recipients_accepted_total", "", COUNTER, "front",
		"recipients_accepted", NULL, "Recipients accepted at RCPT."},
	{"doorstep_recipients_refused_total", "reason=\"unknown\"", COUNTER,
		"front", "refused_unknown", NULL,
		"Recipients refused at RCPT, by reason."},
	{"doorstep_recipients_refused_total", "reason=\"quota\"", COUNTER,
		"front", "refused_quota", NULL, ""},
	{"doorstep_recipients_refused_total", "reason=\"other\"", COUNTER,
		"front", "refused_other", NULL, ""},
	{"doorstep_recipients_refused_total", "reason=\"temporary\"", COUNTER,
		"front", "recipients_refused",
		"refused_unknown refused_quota refused_other", ""},
	{"doorstep_deliveries_total", "result=\"saved\"", COUNTER, "front",
		"delivered", "discarded",
		"Deliveries, one for each recipient, by result."},
	{"doorstep_deliveries_total", "result=\"discarded\"", COUNTER, "front",
		"discarded", NULL, ""},
	{"doorstep_deliveries_total", "result=\"temporary\"", COUNTER, "front",
		"temporary", NULL, ""},
	{"doorstep_deliveries_total", "result=\"refused\"", COUNTER, "front",
		"failed", NULL, ""},
	{"doorstep_sieve_errors_total", "", COUNTER, "front", "script_errors",
		NULL, "Sieve scripts in error: the message was kept."},
	{"doorstep_front_memory_bytes", "", GAUGE, "front", "memory", NULL,
		"Bytes of lmtp_memory_limit in use."},
	{"doorstep_tls_memory_bytes", "", GAUGE, "front", "tls_memory", NULL,
		"Bytes of lmtp_tls_memory_limit in use."},
	{"doorstep_confirmations_waiting", "", GAUGE, "front", "confirmations",
		NULL, "Replies whose reading state has not yet noted."},
	{"doorstep_tickets", "", GAUGE, "", "tickets", NULL,
		"Recipients accepted whose transaction has not ended."},
	{"doorstep_jobs_waiting", "", GAUGE, "", "jobs_waiting", NULL,
		"Deliveries that wait for a worker."},
	{"doorstep_workers", "state=\"busy\"", GAUGE, "", "workers_busy", NULL,
		"Worker processes."},
	{"doorstep_workers", "state=\"idle\"", GAUGE, "", "workers",
		"workers_busy", ""},
	{"doorstep_reloads_total", "", COUNTER, "", "reloads", NULL,
		"Reloads, also those that failed."},
	{"doorstep_memory_entries", "", GAUGE, "state", "entries", NULL,
		"Deliveries remembered until the client shows that it knows."},
	{"doorstep_memory_claims_total", "answer=\"granted\"", COUNTER, "state",
		"claims", "busy broken finished",
		"What was answered to workers that asked to deliver."},
	{"doorstep_memory_claims_total", "answer=\"busy\"", COUNTER, "state",
		"busy", NULL, ""},
	{"doorstep_memory_claims_total", "answer=\"broken\"", COUNTER, "state",
		"broken", NULL, ""},
	{"doorstep_memory_claims_total", "answer=\"finished\"", COUNTER,
		"state", "finished", NULL, ""},
	{"doorstep_memory_unable_total", "", COUNTER, "state", "unable", NULL,
		"Times the memory of deliveries could not be written."},
	{"doorstep_memory_marks", "kind=\"duplicate\"", GAUGE, "state",
		"marks_duplicate", NULL,
		"What scripts have seen or answered, and redirects made."},
	{"doorstep_memory_marks", "kind=\"vacation\"", GAUGE, "state",
		"marks_vacation", NULL, ""},
	{"doorstep_memory_marks", "kind=\"redirect\"", GAUGE, "state",
		"marks_redirect", NULL, ""},
	{"doorstep_proxy_connections", "", GAUGE, "proxy", "connections", NULL,
		"Connections to backends at this moment."},
	{"doorstep_proxy_deliveries_total", "result=\"delivered\"", COUNTER,
		"proxy", "delivered", NULL,
		"Recipients whose mail was passed on, by result."},
	{"doorstep_proxy_deliveries_total", "result=\"temporary\"", COUNTER,
		"proxy", "temporary", NULL, ""},
	{"doorstep_proxy_deliveries_total", "result=\"refused\"", COUNTER,
		"proxy", "failed", NULL, ""},
	{"doorstep_proxy_recipients_refused_total", "", COUNTER, "proxy",
		"recipients_refused", NULL, "Recipients refused by backends."},
	{"doorstep_mailer_mails", "", GAUGE, "mailer", "mails", NULL,
		"Mails that the mailer has under way."},
	{"doorstep_mailer_results_total", "result=\"sent\"", COUNTER, "mailer",
		"sent", NULL, "Mails that the mailer handed over, by result."},
	{"doorstep_mailer_results_total", "result=\"refused\"", COUNTER,
		"mailer", "refused", NULL, ""},
	{"doorstep_mailer_results_total", "result=\"deferred\"", COUNTER,
		"mailer", "deferred", NULL, ""},
	{"doorstep_mailer_notices", "", GAUGE, "mailer", "notices", NULL,
		"Answers and notifications that the mailer has."},
	{"doorstep_mailer_notices_dropped_total", "", COUNTER, "mailer",
		"dropped", NULL, "Those of them that have not left."},
	{"doorstep_process_deaths_total", "kind=\"front\"", COUNTER, "front",
		"deaths", NULL, "Processes that ended unasked, by kind."},
	{"doorstep_process_deaths_total", "kind=\"lookup\"", COUNTER, "lookup",
		"deaths", NULL, ""},
	{"doorstep_process_deaths_total", "kind=\"state\"", COUNTER, "state",
		"deaths", NULL, ""},
	{"doorstep_process_deaths_total", "kind=\"worker\"", COUNTER, "worker",
		"deaths", NULL, ""},
	{"doorstep_process_deaths_total", "kind=\"runner\"", COUNTER, "runner",
		"deaths", NULL, ""},
	{"doorstep_process_deaths_total", "kind=\"policy\"", COUNTER, "policy",
		"deaths", NULL, ""},
	{"doorstep_process_deaths_total", "kind=\"mailer\"", COUNTER, "mailer",
		"deaths", NULL, ""},
};
/* clang-format on */

#define PHASE_METRIC "doorstep_phase_seconds"

/* Of each backend of the proxy, by the name of its counter. */
static const struct backend_row {
	const char *metric, *labels;
	enum type type;
	const char *name, *help;
} backend_rows[] = {
	{"doorstep_backend_connections", "", GAUGE, "connections",
		"Connections to the backend at this moment."},
	{"doorstep_backend_connections_total", "", COUNTER, "connections_total",
		"Connections that were begun."},
	{"doorstep_backend_failures_total", "", COUNTER, "failures",
		"Connections that failed while they were needed."},
	{"doorstep_backend_deliveries_total", ",result=\"delivered\"", COUNTER,
		"delivered", "Recipients, by result."},
	{"doorstep_backend_deliveries_total", ",result=\"temporary\"", COUNTER,
		"temporary", ""},
	{"doorstep_backend_deliveries_total", ",result=\"refused\"", COUNTER,
		"failed", ""},
	{"doorstep_backend_answers_total", "", COUNTER, "answers",
		"Answers to messages, one for each recipient."},
	{"doorstep_backend_answer_microseconds_total", "", COUNTER,
		"answers_us",
		"How long they took, from the message's first byte."},
};

enum { BACKENDS_SHOWN = 60 };

struct backend_sums {
	struct str name;
	uint64_t values[ARRAY_LENGTH(backend_rows)];
};

struct sums {
	uint64_t values[ARRAY_LENGTH(rows)];
	struct backend_sums backends[BACKENDS_SHOWN];
	size_t backend_count;
	uint64_t less[ARRAY_LENGTH(rows)];
	uint64_t buckets[HISTOGRAM_PHASES][HISTOGRAM_BUCKETS];
	uint64_t sums_us[HISTOGRAM_PHASES];
	struct str version;
	uint64_t since;
	struct str list, kind; /* where the reader is */
};

/* ---- summing up ---- */

static bool
is_one_of(struct str name, const char *words)
{
	struct str rest, word;

	if (words == NULL)
		return false;
	rest = str_from(words);
	while (str_next_word(&rest, &word))
		if (str_equal(word, name))
			return true;
	return false;
}

/* "PHASE/BOUND" */
static void
add_phase(struct sums *sums, struct str name, uint64_t value)
{
	struct str phase = STR_EMPTY;
	size_t p, i;

	(void)str_next_field(&name, '/', &phase);
	for (p = 0; p < HISTOGRAM_PHASES; p++) {
		if (!str_is(phase, histogram_phases[p]))
			continue;
		if (str_is(name, "sum"))
			sums->sums_us[p] += value;
		for (i = 0; i < HISTOGRAM_BUCKETS; i++)
			if (str_is(name, histogram_bounds[i]))
				sums->buckets[p][i] += value;
	}
}

static struct backend_sums *
backend_of(struct sums *sums, struct str name)
{
	size_t i;

	for (i = 0; i < sums->backend_count; i++)
		if (str_equal(sums->backends[i].name, name))
			return &sums->backends[i];
	if (sums->backend_count == BACKENDS_SHOWN)
		return NULL;
	sums->backends[sums->backend_count].name = name;
	return &sums->backends[sums->backend_count++];
}

/* "BACKEND/COUNTER" */
static void
add_backend(struct sums *sums, struct str name, uint64_t value, bool has_ended)
{
	size_t slash = str_find_last_char(name, '/'), i;
	struct backend_sums *backend;

	if (slash == name.len)
		return;
	backend = backend_of(sums, str_slice(name, 0, slash));
	for (i = 0; backend != NULL && i < ARRAY_LENGTH(backend_rows); i++)
		if (str_is(str_skip(name, slash + 1), backend_rows[i].name) &&
			!(has_ended && backend_rows[i].type == GAUGE))
			backend->values[i] += value;
}

static void
add_counter(struct sums *sums, struct str name, uint64_t value)
{
	bool has_ended = str_is(sums->list, "ended");
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		if (!str_is(sums->kind, rows[i].kind) ||
			(has_ended && rows[i].type == GAUGE))
			continue;
		if (str_is(name, rows[i].name))
			sums->values[i] += value;
		else if (is_one_of(name, rows[i].less))
			sums->less[i] += value;
	}
	if (str_is(sums->kind, "front"))
		add_phase(sums, name, value);
	if (str_is(sums->kind, "proxy"))
		add_backend(sums, name, value, has_ended);
}

static void
add_head(struct sums *sums, const struct json_item *item)
{
	if (str_is(item->name, "version"))
		sums->version = item->text;
	if (str_is(item->name, "since") &&
		number_parse(item->text, &sums->since) < 0)
		sums->since = 0;
}

/* Counters of the server stand at depth 2, those of a process or of a kind at 4,
 * behind the kind at 3. */
static void
add_item(struct sums *sums, const struct json_item *item)
{
	uint64_t value;

	if (item->depth == 1 && item->kind == JSON_BEGIN) {
		sums->list = item->name;
		sums->kind = STR_EMPTY;
	} else if (item->depth == 1) {
		add_head(sums, item);
	} else if (item->depth == 3 && str_is(item->name, "kind")) {
		sums->kind = item->text;
	} else if (item->kind == JSON_NUMBER &&
		   (item->depth == 4 ||
			   (item->depth == 2 &&
				   str_is(sums->list, "counters"))) &&
		   number_parse(item->text, &value) == 0) {
		add_counter(sums, item->name, value);
	}
}

/* ---- the text ---- */

static void
head(struct buf *text, const char *metric, const char *type, const char *help)
{
	buf_add_format(text, "# HELP %s %s\n# TYPE %s %s\n", metric, help,
		metric, type);
}

static void
write_rows(struct buf *text, const struct sums *sums)
{
	const char *last = "";
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct row *row = &rows[i];
		bool is_labelled = row->labels[0] != '\0';
		/* Numbers of different moments may not fit. */
		uint64_t less = sums->less[i] < sums->values[i]
		                        ? sums->less[i]
		                        : sums->values[i];

		if (strcmp(row->metric, last) != 0)
			head(text, row->metric,
				row->type == GAUGE ? "gauge" : "counter",
				row->help);
		last = row->metric;
		buf_add_format(text, "%s%s%s%s %" PRIu64 "\n", row->metric,
			is_labelled ? "{" : "", row->labels,
			is_labelled ? "}" : "", sums->values[i] - less);
	}
}

/* A name in a configuration may have any letters. */
static void
add_label(struct buf *text, struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		if (name.data[i] == '"' || name.data[i] == '\\')
			buf_add_char(text, '\\');
		buf_add_char(text, name.data[i] < ' ' ? '?' : name.data[i]);
	}
}

static void
write_backends(struct buf *text, const struct sums *sums)
{
	size_t r, i;

	for (r = 0; r < ARRAY_LENGTH(backend_rows); r++) {
		const struct backend_row *row = &backend_rows[r];

		if (row->help[0] != '\0')
			head(text, row->metric,
				row->type == GAUGE ? "gauge" : "counter",
				row->help);
		for (i = 0; i < sums->backend_count; i++) {
			buf_add_format(text, "%s{backend=\"", row->metric);
			add_label(text, sums->backends[i].name);
			buf_add_format(text, "\"%s} %" PRIu64 "\n", row->labels,
				sums->backends[i].values[r]);
		}
	}
}

static void
write_phase(struct buf *text, const struct sums *sums, size_t p)
{
	const char *phase = histogram_phases[p];
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += sums->buckets[p][i];
		buf_add_format(text,
			PHASE_METRIC "_bucket{phase=\"%s\",le=\"%s\"} %" PRIu64
				     "\n",
			phase, histogram_bounds[i], count);
	}
	buf_add_format(text,
		PHASE_METRIC "_sum{phase=\"%s\"} %" PRIu64 ".%06" PRIu64
			     "\n" PHASE_METRIC "_count{phase=\"%s\"} %" PRIu64
			     "\n",
		phase, sums->sums_us[p] / 1000000, sums->sums_us[p] % 1000000,
		phase, count);
}

static void
write_all(struct buf *text, const struct sums *sums)
{
	size_t p;

	head(text, "doorstep_info", "gauge", "The release that runs.");
	buf_add_format(text, "doorstep_info{version=\"%.*s\"} 1\n",
		STR_ARG(sums->version));
	head(text, "doorstep_start_time_seconds", "gauge",
		"When the server was started.");
	buf_add_format(
		text, "doorstep_start_time_seconds %" PRIu64 "\n", sums->since);
	write_rows(text, sums);
	if (sums->backend_count > 0)
		write_backends(text, sums);
	head(text, PHASE_METRIC, "histogram",
		"How long the phases of deliveries took.");
	for (p = 0; p < HISTOGRAM_PHASES; p++)
		write_phase(text, sums, p);
}

int
metrics_text(struct arena *arena, struct str json, struct str *text_out)
{
	struct sums *sums = ARENA_NEW(arena, struct sums);
	struct json_reader reader;
	struct json_item item;
	struct buf text;

	json_read(&reader, arena, json);
	while (json_next(&reader, &item))
		add_item(sums, &item);
	if (reader.is_broken)
		return -1;
	buf_init(&text, BUF_UNLIMITED);
	write_all(&text, sums);
	*text_out = arena_copy(arena, buf_view(&text));
	buf_clear(&text);
	return 0;
}
