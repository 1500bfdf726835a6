/* SPDX-License-Identifier: MIT */
#include "server/door.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { CAME_MAX = 200 };

struct house {
	struct loop *loop;
	struct doors doors;
	int came[CAME_MAX];
	size_t count, surplus;
	size_t full_at; /* 0: never */
};

static void
on_came(struct doors *doors, const struct door *door, int fd,
	const struct sockaddr_storage *address)
{
	struct house *house = CONTAINER_OF(doors, struct house, doors);

	CHECK_STR(door->about.name, "front door");
	CHECK_UINT(address->ss_family, AF_UNIX);
	REQUIRE(house->count < CAME_MAX);
	house->came[house->count++] = fd;
	if (house->count == house->full_at)
		doors_hold(doors, true);
}

static void
on_surplus(struct doors *doors, int fd)
{
	CONTAINER_OF(doors, struct house, doors)->surplus++;
	close(fd);
}

/* A socket without a name in the file system. */
static int
listen_somewhere(struct sockaddr_un *address, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*len = sizeof(*address);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)address,
			sizeof(address->sun_family)) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)address, len) == 0);
	REQUIRE(listen(fd, 128) == 0);
	return fd;
}

static int
come(const struct sockaddr_un *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0);
	REQUIRE(connect(fd, (const struct sockaddr *)address, len) == 0);
	return fd;
}

struct minute {
	struct loop_timer timer;
	struct loop *loop;
};

static void
stop(struct loop_timer *timer)
{
	loop_stop(CONTAINER_OF(timer, struct minute, timer)->loop);
}

static void
run_for(struct house *house, uint64_t ms)
{
	struct minute minute = {{.fire = stop}, house->loop};

	loop_timer(house->loop, &minute.timer, loop_now_ms(house->loop) + ms);
	loop_run(house->loop);
}

static void
open_house(struct house *house, int fd, uint32_t *peers, size_t count)
{
	char name[] = "front door";

	*house = (struct house){
		.doors = {.came = on_came, .surplus = on_surplus}};
	REQUIRE(loop_open(&house->loop) == 0);
	doors_open(&house->doors, house->loop);
	doors_add(&house->doors, &(struct wire_listener){.fd = fd,
					 .name = name,
					 .peers = peers,
					 .peer_count = count});
	memset(name, 'x', sizeof(name) - 1);
}

static void
close_house(struct house *house)
{
	size_t i;

	for (i = 0; i < house->count; i++)
		close(house->came[i]);
	doors_close(&house->doors);
	doors_close(&house->doors);
	loop_close(&house->loop);
}

TEST(all_who_come_are_let_in_and_do_not_block)
{
	struct sockaddr_un address;
	socklen_t len;
	struct house house;
	int fds[100];
	char byte;
	size_t i;

	open_house(&house, listen_somewhere(&address, &len), NULL, 0);
	for (i = 0; i < 100; i++)
		fds[i] = come(&address, len);
	run_for(&house, 50);
	CHECK_UINT(house.count, 100);
	CHECK(read(house.came[99], &byte, 1) < 0 && errno == EAGAIN);
	for (i = 0; i < 100; i++)
		close(fds[i]);
	close_house(&house);
}

TEST(who_comes_to_a_held_door_waits_until_it_is_held_no_more)
{
	struct sockaddr_un address;
	socklen_t len;
	struct house house;
	int fds[5];
	size_t i;

	open_house(&house, listen_somewhere(&address, &len), NULL, 0);
	house.full_at = 2;
	for (i = 0; i < 5; i++)
		fds[i] = come(&address, len);
	run_for(&house, 50);
	CHECK_UINT(house.count, 2);
	doors_hold(&house.doors, false);
	run_for(&house, 50);
	CHECK_UINT(house.count, 5);
	for (i = 0; i < 5; i++)
		close(fds[i]);
	close_house(&house);
}

TEST(without_descriptors_one_is_told_and_the_others_come_in_later)
{
	struct sockaddr_un address;
	socklen_t len;
	struct house house;
	struct rlimit before, none;
	int fds[3];
	size_t i;

	open_house(&house, listen_somewhere(&address, &len), NULL, 0);
	for (i = 0; i < 3; i++)
		fds[i] = come(&address, len);
	REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = (struct rlimit){(rlim_t)fds[2] + 1, before.rlim_max};
	REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
	run_for(&house, 50);
	CHECK_UINT(house.count, 0);
	CHECK_UINT(house.surplus, 1);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
	run_for(&house, DOOR_PAUSE_MS + 100);
	CHECK_UINT(house.count, 2);
	CHECK_UINT(house.surplus, 1);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	close_house(&house);
}

TEST(only_users_who_are_named_are_admitted_and_root)
{
	uint32_t stranger = (uint32_t)geteuid() + 1, we = (uint32_t)geteuid();
	struct wire_listener about = {.peers = &stranger, .peer_count = 1};
	struct door door = {.about = about};
	int pair[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(door_admits_user(&door, pair[0]) == (we == 0));
	door.about.peers = &we;
	CHECK(door_admits_user(&door, pair[0]));
	door.about.peer_count = 0;
	CHECK(door_admits_user(&door, pair[0]));
	close(pair[0]);
	close(pair[1]);
	door.about.peer_count = 1;
	CHECK(!door_admits_user(&door, pair[0]));
}

TEST(closing_doors_that_were_never_opened_is_nothing)
{
	struct doors doors = {0};

	doors_close(&doors);
	CHECK(doors.first == NULL);
}
