/* SPDX-License-Identifier: MIT */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/privilege.h"
#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { SOME_UID = 54321, SOME_GID = 54322 };

/* base_dir is FOLDER/run, which is there. */
static const struct settings *
load(struct arena *arena, const char *service)
{
	const char *text = arena_format(
		arena, "base_dir = %s/run\n%s", test_folder(), service);
	const struct conf_source source = {.file = test_file("conf", text),
		.protocol = CONF_PROTOCOL_LMTP};
	const struct settings *settings;
	struct conf_report report = {0};

	if (mkdir(test_path("run"), 0755) < 0)
		REQUIRE(errno == EEXIST);
	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

struct fixture {
	struct arena *arena;
	struct listeners *set;
	struct err err;
};

static int
start(struct fixture *fixture, const char *service, const struct listeners *old)
{
	*fixture = (struct fixture){.arena = arena_open()};
	return listen_open(load(fixture->arena, service), old, NULL,
		&fixture->set, &fixture->err);
}

static void
start_good(struct fixture *fixture, const char *service, struct listeners *old)
{
	int result = start(fixture, service, old);

	if (result < 0)
		printf("# %s\n", fixture->err.detail);
	REQUIRE(result == 0);
}

static void
end(struct fixture *fixture)
{
	listen_abandon(&fixture->set, NULL);
	arena_close(&fixture->arena);
}

static void
check_settings_fail(const struct settings *settings, const char *part)
{
	struct fixture fixture = {.arena = arena_open()};

	CHECK_INT(listen_open(settings, NULL, NULL, &fixture.set, &fixture.err),
		-1);
	CHECK(fixture.set == NULL);
	CHECK_STR(fixture.err.status, "4.3.5");
	if (!CHECK(strstr(fixture.err.detail, part) != NULL))
		printf("# %s\n", fixture.err.detail);
	end(&fixture);
}

static void
check_fails(const char *service, const char *part)
{
	struct arena *arena = arena_open();

	check_settings_fail(load(arena, service), part);
	arena_close(&arena);
}

/* Somebody who may write to run/ and is not root. */
static void
become_somebody(void)
{
	const struct identity identity = {.uid = SOME_UID, .gid = SOME_GID};
	char above[4096];
	struct err err;

	if (!privilege_is_root())
		return;
	snprintf(above, sizeof(above), "%s/..", test_folder());
	REQUIRE(chmod(above, 0711) == 0 && chmod(test_folder(), 0711) == 0);
	REQUIRE(chown(test_path("run"), SOME_UID, SOME_GID) == 0);
	REQUIRE(privilege_become(&identity, &err) == 0);
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
answers(const char *path)
{
	int fd = connect_unix(path);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A TCP socket bound to a port of the kernel's choice. */
static int
take_port(unsigned *port_out)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	*port_out = ntohs(address.sin_port);
	return fd;
}

static bool
answers_tcp(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	REQUIRE(fd >= 0);
	result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result == 0;
}

static struct stat
look(const char *path)
{
	struct stat status = {0};

	if (!CHECK(lstat(path, &status) == 0))
		printf("# %s\n", path);
	return status;
}

/* As Dovecot has it. */
TEST(without_a_listener_there_is_one_in_base_dir)
{
	struct fixture fixture;
	const char *path = test_path("run/lmtp");

	umask(077);
	start_good(&fixture, "", NULL);
	REQUIRE(fixture.set->count == 1);
	CHECK_STR(fixture.set->items[0].name, path);
	CHECK(!fixture.set->items[0].is_inet);
	CHECK_UINT(look(path).st_mode & 07777, 0666);
	CHECK(answers(path));
	end(&fixture);
	CHECK(access(path, F_OK) < 0);
}

TEST(a_unix_listener_has_its_path_and_mode)
{
	struct fixture fixture;
	char text[1024];

	snprintf(text, sizeof(text),
		"service lmtp {\n"
		"unix_listener sub/folder/a {\n  mode = 0640\n}\n"
		"unix_listener %s/b {\n  mode = 0600\n}\n}\n",
		test_folder());
	umask(0);
	start_good(&fixture, text, NULL);
	REQUIRE(fixture.set->count == 2);
	CHECK_UINT(look(test_path("run/sub/folder/a")).st_mode & 07777, 0640);
	CHECK_UINT(look(test_path("run/sub")).st_mode & 07777, 0755);
	CHECK_UINT(look(test_path("b")).st_mode & 07777, 0600);
	CHECK(answers(test_path("b")));
	end(&fixture);
}

TEST(a_unix_listener_has_its_owner)
{
	struct fixture fixture;
	struct stat status;

	if (!privilege_is_root())
		SKIP("only root may give files away");
	start_good(&fixture,
		"service lmtp {\nunix_listener a {\n  mode = 0660\n"
		"  user = 54321\n  group = 54322\n}\n}\n",
		NULL);
	status = look(test_path("run/a"));
	CHECK_UINT(status.st_uid, SOME_UID);
	CHECK_UINT(status.st_gid, SOME_GID);
	CHECK_UINT(status.st_mode & 07777, 0660);
	end(&fixture);
}

TEST(an_owner_that_is_not_there_is_named)
{
	check_fails("service lmtp {\nunix_listener a {\n"
		    "  user = no-such-user\n}\n}\n",
		"conf:3: ");
	check_fails("service lmtp {\nunix_listener a {\n"
		    "  user = no-such-user\n}\n}\n",
		"there is no user no-such-user");
	check_fails("service lmtp {\nunix_listener a {\n"
		    "  group = no-such-group\n}\n}\n",
		"there is no group no-such-group");
}

TEST(only_root_gives_a_socket_away)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load(
		arena, "service lmtp {\nunix_listener a {\n  user = 1\n}\n}\n");

	become_somebody();
	check_settings_fail(settings, "started as root");
	CHECK(access(test_path("run/a"), F_OK) < 0);
	CHECK_INT(errno, ENOENT);
	arena_close(&arena);
}

TEST(what_a_dead_server_left_is_replaced)
{
	struct fixture fixture;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = test_path("run/lmtp");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && mkdir(test_path("run"), 0755) == 0);
	memcpy(address.sun_path, path, strlen(path) + 1);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	close(fd);
	CHECK(!answers(path));
	start_good(&fixture, "", NULL);
	CHECK(answers(path));
	end(&fixture);
}

TEST(a_live_server_is_left_alone)
{
	struct fixture first;

	start_good(&first, "", NULL);
	check_fails("", "another server listens there; stop it");
	CHECK(answers(test_path("run/lmtp")));
	end(&first);
}

TEST(a_file_that_is_no_socket_is_left_alone)
{
	test_file("run/lmtp", "precious");
	check_fails("", "no socket");
	CHECK_STR_IS(test_read(test_path("run/lmtp")), "precious");
}

TEST(a_path_that_is_too_long_is_explained)
{
	char text[512];

	snprintf(text, sizeof(text),
		"service lmtp {\nunix_listener /%0120d {\n"
		"}\n}\n",
		0);
	check_fails(text, "the kernel takes 107");
}

TEST(a_folder_outside_of_base_dir_is_not_made)
{
	char text[512];

	snprintf(text, sizeof(text),
		"service lmtp {\nunix_listener %s/no/a {\n"
		"}\n}\n",
		test_folder());
	check_fails(text, "the folder has to be there");
	CHECK(access(test_path("no"), F_OK) < 0);
}

TEST(a_listener_that_is_there_twice_is_an_error)
{
	char text[512];

	snprintf(text, sizeof(text),
		"service lmtp {\nunix_listener a {\n}\n"
		"unix_listener %s/run/a {\n}\n}\n",
		test_folder());
	check_fails(text, "twice");
	CHECK(access(test_path("run/a"), F_OK) < 0);
}

TEST(listeners_that_are_switched_off_are_not_opened)
{
	struct fixture fixture;

	check_fails("service lmtp {\nunix_listener lmtp {\n  mode = 0\n}\n"
		    "inet_listener x {\n  port = 0\n}\n}\n",
		"switched off");
	start_good(&fixture,
		"service lmtp {\nunix_listener lmtp {\n  mode = 0\n}\n"
		"unix_listener other {\n}\n}\n",
		NULL);
	REQUIRE(fixture.set->count == 1);
	CHECK_STR(fixture.set->items[0].name, test_path("run/other"));
	end(&fixture);
}

/* ---- TCP ---- */

static const char *
inet(struct arena *arena, const char *addresses, unsigned port)
{
	return arena_format(arena,
		"lmtp_allowed_networks = ::1\nservice lmtp {\n"
		"inet_listener x {\n  address = %s\n  port = %u\n}\n}\n",
		addresses, port);
}

TEST(a_tcp_listener_has_all_its_addresses)
{
	struct arena *arena = arena_open();
	struct fixture fixture;
	unsigned port;
	int fd = take_port(&port);

	close(fd);
	start_good(&fixture, inet(arena, "127.0.0.1 [127.0.0.2]", port), NULL);
	REQUIRE(fixture.set->count == 2);
	CHECK_STR(fixture.set->items[0].name,
		arena_format(arena, "127.0.0.1:%u", port));
	CHECK(fixture.set->items[1].is_inet);
	CHECK(answers_tcp(port));
	end(&fixture);
	CHECK(!answers_tcp(port));
	arena_close(&arena);
}

static bool
has_v6_loopback(void)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return false;
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result == 0;
}

/* Both may be bound only because the one for IPv6 takes no IPv4. */
TEST(without_an_address_it_listens_on_all_of_both_kinds)
{
	struct arena *arena = arena_open();
	struct fixture fixture;
	unsigned port;
	int fd = take_port(&port);

	if (!has_v6_loopback())
		SKIP("there is no IPv6 here");
	close(fd);
	start_good(&fixture, inet(arena, "", port), NULL);
	REQUIRE(fixture.set->count == 2);
	CHECK_STR(fixture.set->items[0].name,
		arena_format(arena, "0.0.0.0:%u", port));
	CHECK_STR(fixture.set->items[1].name,
		arena_format(arena, "[::]:%u", port));
	end(&fixture);
	arena_close(&arena);
}

TEST(a_port_that_is_taken_is_explained)
{
	struct arena *arena = arena_open();
	unsigned port;
	int fd = take_port(&port);

	REQUIRE(listen(fd, 1) == 0);
	check_fails(inet(arena, "127.0.0.1", port), "another server has that");
	close(fd);
	arena_close(&arena);
}

TEST(an_address_of_another_machine_is_explained)
{
	struct arena *arena = arena_open();

	check_fails(inet(arena, "192.0.2.77", 2424), "no such address");
	arena_close(&arena);
}

TEST(a_name_is_no_address)
{
	struct arena *arena = arena_open();

	check_fails(inet(arena, "localhost", 2424),
		"found \"localhost\", expected an IP address");
	arena_close(&arena);
}

TEST(a_port_that_needs_root_is_explained)
{
	struct arena *arena = arena_open();
	const struct settings *settings =
		load(arena, inet(arena, "127.0.0.1", 24));
	char first[16] = "";
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
		O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, first, sizeof(first) - 1) > 0 &&
		strcmp(first, "1024\n") != 0)
		SKIP("here ports below 1024 are everybody's");
	if (fd >= 0)
		close(fd);
	become_somebody();
	check_settings_fail(settings, "below 1024");
	arena_close(&arena);
}

/* ---- reload ---- */

TEST(a_reload_keeps_what_stays_and_removes_what_is_gone)
{
	struct fixture old, fresh;
	ino_t inode;

	start_good(&old,
		"service lmtp {\nunix_listener a {\n}\n"
		"unix_listener b {\n}\n}\n",
		NULL);
	inode = look(test_path("run/a")).st_ino;
	start_good(&fresh,
		"service lmtp {\nunix_listener a {\n  mode = 0622\n}\n"
		"unix_listener c {\n}\n}\n",
		old.set);
	/* Until it is decided nothing that was there changes. */
	CHECK(answers(test_path("run/b")));
	CHECK_UINT(look(test_path("run/a")).st_mode & 07777, 0600);
	listen_replace(&old.set, fresh.set);
	CHECK(old.set == NULL);
	CHECK(answers(test_path("run/a")));
	CHECK_UINT(look(test_path("run/a")).st_ino, inode);
	CHECK_UINT(look(test_path("run/a")).st_mode & 07777, 0622);
	CHECK(access(test_path("run/b"), F_OK) < 0);
	CHECK(answers(test_path("run/c")));
	end(&fresh);
	end(&old);
	CHECK(access(test_path("run/a"), F_OK) < 0);
}

TEST(a_reload_that_fails_changes_nothing)
{
	struct fixture old, fresh;

	start_good(&old, "", NULL);
	CHECK_INT(start(&fresh,
			  "service lmtp {\nunix_listener lmtp {\n}\n"
			  "unix_listener new {\n}\n"
			  "unix_listener /nonexistent/x {\n}\n}\n",
			  old.set),
		-1);
	CHECK(answers(test_path("run/lmtp")));
	CHECK_UINT(look(test_path("run/lmtp")).st_mode & 07777, 0666);
	CHECK(access(test_path("run/new"), F_OK) < 0);
	end(&fresh);
	end(&old);
}

TEST(a_reload_that_is_given_up_changes_nothing)
{
	struct fixture old, fresh;

	start_good(&old, "", NULL);
	start_good(&fresh,
		"service lmtp {\nunix_listener lmtp {\n}\n"
		"unix_listener new {\n}\n}\n",
		old.set);
	listen_abandon(&fresh.set, old.set);
	CHECK(answers(test_path("run/lmtp")));
	CHECK(access(test_path("run/new"), F_OK) < 0);
	end(&fresh);
	end(&old);
}

TEST(a_port_that_stays_is_kept_at_a_reload)
{
	struct arena *arena = arena_open();
	struct fixture old, fresh;
	unsigned port;
	int fd = take_port(&port);

	close(fd);
	start_good(&old, inet(arena, "127.0.0.1", port), NULL);
	start_good(&fresh, inet(arena, "127.0.0.1", port), old.set);
	listen_replace(&old.set, fresh.set);
	CHECK(answers_tcp(port));
	end(&fresh);
	CHECK(!answers_tcp(port));
	end(&old);
	arena_close(&arena);
}

/* Somebody tidied up /run. */
TEST(a_socket_whose_file_was_removed_is_made_anew_at_a_reload)
{
	struct fixture old, fresh;

	start_good(&old, "", NULL);
	REQUIRE(unlink(test_path("run/lmtp")) == 0);
	start_good(&fresh, "", old.set);
	listen_replace(&old.set, fresh.set);
	CHECK(answers(test_path("run/lmtp")));
	end(&fresh);
	end(&old);
}

/* Another server has taken the place of ours in the meantime. */
TEST(a_file_of_another_server_is_not_removed)
{
	struct fixture first, second;

	start_good(&first, "", NULL);
	REQUIRE(unlink(test_path("run/lmtp")) == 0);
	start_good(&second, "", NULL);
	end(&first);
	CHECK(answers(test_path("run/lmtp")));
	end(&second);
}
