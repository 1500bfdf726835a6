/* SPDX-License-Identifier: MIT */
#include "base/vars.h"

#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static const struct var vars[] = {
	{'u', "user", {"Amy.Öz@Mail.Example.org", 24}},
	{'h', "home", {"/srv/amy", 8}},
	{'i', "uid", {"1000", 4}},
	{0, "hostname", {"mx.example.test", 15}},
	{0, "env:MY-NAME", {"value of it", 11}},
	{'x', "empty", {"", 0}},
	{'q', "quotes", {"a'b\"c\\d ", 8}},
	{'p', "percent", {"%u", 2}},
	{'l', "list", {"a\tb\001tc", 6}},
	{'b', "simple", {"amy", 3}},
};

static struct arena *arena;
static struct err err;

static int
expand(const char *template, struct str *text_out)
{
	if (arena == NULL)
		arena = arena_open();
	return vars_expand(arena, str_from(template), vars, ARRAY_LENGTH(vars),
		text_out, &err);
}

#define CHECK_EXPANDS(template, expected)                                      \
	do {                                                                   \
		struct str text = STR_EMPTY;                                   \
                                                                               \
		if (!CHECK_INT(expand(template, &text), 0))                    \
			CHECK_STR(err.detail, "");                             \
		CHECK_STR_IS(text, expected);                                  \
	} while (0)

#define CHECK_FAILS(template, expected)                                        \
	do {                                                                   \
		struct str text = STR_EMPTY;                                   \
                                                                               \
		CHECK_INT(expand(template, &text), -1);                        \
		CHECK_INT(err.kind, ERR_TEMPORARY);                            \
		CHECK_STR(err.status, "4.3.5");                                \
		CHECK_STR(err.detail, expected);                               \
	} while (0)

TEST(text_without_variables_stays)
{
	CHECK_EXPANDS("", "");
	CHECK_EXPANDS("/srv/mail", "/srv/mail");
	CHECK_EXPANDS("100%%", "100%");
	CHECK_EXPANDS("back\\slash", "back\\slash");
}

TEST(a_letter_and_a_name_give_the_value)
{
	CHECK_EXPANDS("%h", "/srv/amy");
	CHECK_EXPANDS("%{home}/x", "/srv/amy/x");
	CHECK_EXPANDS("%{h}", "/srv/amy");
	CHECK_EXPANDS("<%{ hostname }>", "<mx.example.test>");
	CHECK_EXPANDS("%{env:MY-NAME}", "value of it");
}

TEST(local_part_and_domain_follow_from_the_user)
{
	CHECK_EXPANDS("%n %d", "Amy.Öz Mail.Example.org");
	CHECK_EXPANDS("%{username} %{domain}", "Amy.Öz Mail.Example.org");
	CHECK_EXPANDS("%{user | username}", "Amy.Öz");
	CHECK_EXPANDS("%{user|domain}", "Mail.Example.org");
	CHECK_EXPANDS("[%{simple|domain}]", "[]");
	CHECK_EXPANDS("%{literal('a@b@c')|domain}", "c");
	CHECK_EXPANDS("%{literal('a@b@c')|username}", "a@b");
}

TEST(a_value_is_not_expanded_itself)
{
	CHECK_EXPANDS("%p", "%u");
	CHECK_EXPANDS("%{if;%p;eq;%%u;same;other}", "same");
}

TEST(modifiers_change_the_value)
{
	CHECK_EXPANDS("%Lu", "amy.öz@mail.example.org");
	CHECK_EXPANDS("%Un", "AMY.ÖZ");
	CHECK_EXPANDS("%Eq", "a\\'b\\\"c\\\\d ");
	CHECK_EXPANDS("%Xi", "3e8");
	CHECK_EXPANDS("%Rb", "yma");
	CHECK_EXPANDS("[%Tq]", "[a'b\"c\\d]");
	CHECK_EXPANDS("dc=%Dd", "dc=Mail,dc=Example,dc=org");
	CHECK_EXPANDS("dc=%LDd", "dc=mail,dc=example,dc=org");
	CHECK_EXPANDS("%L{hostname}", "mx.example.test");
}

TEST(md5_and_its_parts)
{
	CHECK_EXPANDS("%Mb", "7771fbb20af6ef10827c593daa3aff7b");
	CHECK_EXPANDS("%1Mb", "7");
	CHECK_EXPANDS("%.1Mb", "7");
	CHECK_EXPANDS("%2.2Mb/%Mb", "71/7771fbb20af6ef10827c593daa3aff7b");
	CHECK_EXPANDS("%-4.2Mb", "ff");
	CHECK_EXPANDS("%LMb", "7771fbb20af6ef10827c593daa3aff7b");
}

/* First eight bytes of the digest 7771fbb20af6ef10: modulo 256 its last byte. */
TEST(hashes_take_offset_as_digits_and_width_as_modulus)
{
	CHECK_EXPANDS("%Nb", "af6ef10");
	CHECK_EXPANDS("%8Nb", "0");
	CHECK_EXPANDS("%2.256Nb", "10");
	CHECK_EXPANDS("%4.16Nb", "0000");
	CHECK_EXPANDS("%2.200Nb", "c0");
	CHECK_EXPANDS("%Hb", "6849");
	CHECK_EXPANDS("%3.16Hb", "009");
}

TEST(a_window_cuts_the_value)
{
	CHECK_EXPANDS("%1b", "a");
	CHECK_EXPANDS("%2b", "am");
	CHECK_EXPANDS("%9b", "amy");
	CHECK_EXPANDS("%1.1b", "m");
	CHECK_EXPANDS("%1.b", "my");
	CHECK_EXPANDS("%-2.1b", "m");
	CHECK_EXPANDS("%-9.2b", "am");
	CHECK_EXPANDS("%-1b", "am");
	CHECK_EXPANDS("%9.1b", "");
	CHECK_EXPANDS("%06i", "001000");
	CHECK_EXPANDS("%02i", "1000");
	CHECK_EXPANDS("%0.2b", "am");
}

TEST(if_chooses_by_comparing_numbers_and_text)
{
	CHECK_EXPANDS("postmaster@%{if;%d;ne;;%d;%{hostname}}",
		"postmaster@Mail.Example.org");
	CHECK_EXPANDS("postmaster@%{if;%x;ne;;%d;%{hostname}}",
		"postmaster@mx.example.test");
	CHECK_EXPANDS("%{if;%i;>;999;big;small}", "big");
	CHECK_EXPANDS("%{if;%i;<=;999;big;small}", "small");
	CHECK_EXPANDS("%{if;%n;eq;Amy.Öz;yes;no}", "yes");
	CHECK_EXPANDS("%{if;%n;*;Amy*z;yes;no}", "yes");
	CHECK_EXPANDS("%{if;%n;!*;A?y*;yes;no}", "no");
	CHECK_EXPANDS("%{if;%n;~;^[A-Z]my;yes;no}", "yes");
	CHECK_EXPANDS("%{if;%n;!~;^[A-Z]my;yes;no}", "no");
	CHECK_EXPANDS("[%{if;%n;eq;other;yes;}]", "[]");
	CHECK_EXPANDS("[%{if;%n;eq;other;yes}]", "[]");
}

TEST(if_nests_and_escapes)
{
	CHECK_EXPANDS("%{if;a;eq;a;%{if;b;eq;c;x;y};z}", "y");
	CHECK_EXPANDS("%{if;a;eq;a;x\\;y\\}\\%\\:;z}", "x;y}%:");
	CHECK_EXPANDS("%{if;1;==;01;it's;no}", "it's");
}

TEST(if_nested_too_deep_is_an_error)
{
	char template[400] = "", tail[100] = "";
	struct str text;
	size_t i;

	for (i = 0; i < VARS_DEPTH_MAX + 1; i++) {
		memcpy(template + strlen(template), "%{if;a;eq;a;", 13);
		memcpy(tail + strlen(tail), "x;}", 4);
	}
	memcpy(template + strlen(template), tail, strlen(tail) + 1);
	CHECK_INT(expand(template, &text), -1);
	CHECK(strstr(err.detail, "nested more than 10 deep at position 123 ") !=
		NULL);
	/* One level less; the rest of the tail is text. */
	CHECK_INT(expand(template + 12, &text), 0);
}

TEST(digests_of_2_3_take_options)
{
	CHECK_EXPANDS("%{md5:b}", "7771fbb20af6ef10827c593daa3aff7b");
	CHECK_EXPANDS(
		"%{sha1:simple}", "da0cee525ea095cebd642feb98c0fe5678fb7db3");
	CHECK_EXPANDS(
		"%{md5;format=hexuc:b}", "7771FBB20AF6EF10827C593DAA3AFF7B");
	CHECK_EXPANDS("%{md5;format=base64:b}", "d3H7sgr27xCCfFk9qjr/ew==");
	CHECK_EXPANDS("%{md5;truncate=12:b}", "0777");
	CHECK_EXPANDS("%{md5;truncate=8:b}", "77");
	CHECK_EXPANDS("%4{md5:b}", "7771");
}

TEST(filters_of_2_4_change_text)
{
	CHECK_EXPANDS("%{user | lower}", "amy.öz@mail.example.org");
	CHECK_EXPANDS("%{user | username | upper}", "AMY.ÖZ");
	CHECK_EXPANDS("%{simple | reverse}", "yma");
	CHECK_EXPANDS("dc=%{user | domain_dn}",
		"dc=Amy,dc=Öz@Mail,dc=Example,dc=org");
	CHECK_EXPANDS("%{domain | ldap_dn}", "Mail,dc=Example,dc=org");
	CHECK_EXPANDS("%{empty | default('x')}", "x");
	CHECK_EXPANDS("%{empty | default(hostname)}", "mx.example.test");
	CHECK_EXPANDS("%{simple | default(\"x\")}", "amy");
	CHECK_EXPANDS("[%{empty | default}]", "[]");
	CHECK_EXPANDS("%{literal('a}b|c')}", "a}b|c");
	CHECK_EXPANDS(
		"%{simple | concat('+', hostname)}", "amy+mx.example.test");
	CHECK_EXPANDS("[%{literal('  x ') | ltrim}]", "[x ]");
	CHECK_EXPANDS("[%{literal('  x ') | rtrim}]", "[  x]");
	CHECK_EXPANDS("%{simple | safe}", "amy");
	CHECK_EXPANDS("%{list | list}", "a,b\tc");
	CHECK_EXPANDS("%{list | list(' ')}", "a b\tc");
	CHECK_EXPANDS("%{lookup('simple')}", "amy");
	CHECK_EXPANDS("%{literal('simple') | lookup}", "amy");
}

TEST(substr_and_index_count_from_both_ends)
{
	CHECK_EXPANDS("%{hostname | substr(3)}", "example.test");
	CHECK_EXPANDS("%{hostname | substr(3, 2)}", "ex");
	CHECK_EXPANDS("%{hostname | substr(-4)}", "test");
	CHECK_EXPANDS("%{hostname | substr(0, -5)}", "mx.example");
	CHECK_EXPANDS("%{hostname | substr(99)}", "");
	CHECK_EXPANDS("%{hostname | substr(-99, 2)}", "mx");
	CHECK_EXPANDS("%{hostname | index('.')}", "mx");
	CHECK_EXPANDS("%{hostname | index('.', 1)}", "example");
	CHECK_EXPANDS("%{hostname | index('.', -1)}", "test");
	CHECK_EXPANDS("[%{hostname | index('.', 3)}]", "[]");
	CHECK_EXPANDS("%{hostname | index('.', -4) | default('none')}", "none");
}

TEST(digests_of_2_4_show_as_hexadecimal_digits)
{
	CHECK_EXPANDS("%{simple | md5}", "7771fbb20af6ef10827c593daa3aff7b");
	CHECK_EXPANDS("%{simple | md5 | hexlify(4)}", "ff7b");
	CHECK_EXPANDS("%{simple | md5 | substr(0, 2)}", "7771");
	CHECK_EXPANDS("%{simple | md5 | base64}", "d3H7sgr27xCCfFk9qjr/ew==");
	CHECK_EXPANDS("%{simple | md5 | base64(pad=no, url=yes)}",
		"d3H7sgr27xCCfFk9qjr_ew");
	CHECK_EXPANDS(
		"%{simple | md5(format='base64')}", "d3H7sgr27xCCfFk9qjr/ew==");
	CHECK_EXPANDS(
		"%{simple | hash('md5')}", "7771fbb20af6ef10827c593daa3aff7b");
	CHECK_EXPANDS("%{simple | md5(salt='amy', rounds=1)}",
		"e5839e3d9b95274227b3a345f928d3c2");
	/* 2.3's %2.256Nu in the words of 2.4. */
	CHECK_EXPANDS("%{simple | md5 | substr(0, 8) % 256 | hex(2)}", "10");
	CHECK_EXPANDS("%{simple | md5 | truncate(bits=12)}", "0777");
	CHECK_EXPANDS("%{simple | truncate(2)}", "am");
}

TEST(numbers_are_counted_with)
{
	CHECK_EXPANDS("%{uid + 24}", "1024");
	CHECK_EXPANDS("%{uid - 1001}", "-1");
	CHECK_EXPANDS("%{uid * 2 / 3 % 7}", "1");
	CHECK_EXPANDS("%{uid | hex}", "3e8");
	CHECK_EXPANDS("%{uid | hex(6)}", "0003e8");
	CHECK_EXPANDS("%{uid | hex(2)}", "e8");
	CHECK_EXPANDS("%{literal('3e8') | unhex}", "1000");
	CHECK_EXPANDS("%{literal('007') | number}", "7");
	CHECK_EXPANDS("%{literal('616d79') | unhexlify | literal('x')}", "x");
	CHECK_EXPANDS("%{literal('YW15') | unbase64 | concat('')}", "amy");
	CHECK_EXPANDS("%{literal('YW15') | unbase64}", "616d79");
}

TEST(choices_of_2_4)
{
	CHECK_EXPANDS("%{simple | if('eq', 'amy', 'yes', 'no')}", "yes");
	CHECK_EXPANDS("%{simple | if('~', '^b', 'yes', 'no')}", "no");
	CHECK_EXPANDS(
		"%{if(uid, '>=', 1000, hostname, '')}", "mx.example.test");
	CHECK_EXPANDS("%{simple | switch('bob', 1, 'amy', 2, 3)}", "2");
	CHECK_EXPANDS("%{simple | switch('bob', 1, 'eve', 2, 3)}", "3");
	CHECK_EXPANDS("%{hostname | regexp('^([a-z]+)[.](.*)$', '\\2 \\1')}",
		"example.test mx");
	CHECK_EXPANDS("%{hostname | regexp('(.*)[.]', '<\\\\1>')}",
		"<mx.example>test");
	CHECK_EXPANDS(
		"%{hostname | regexp('nothing', 'x')}", "mx.example.test");
}

TEST(an_error_names_the_variable_and_where_it_stands)
{
	CHECK_FAILS(
		"/srv/%y", "unknown variable %y at position 6 of \"/srv/%y\"");
	CHECK_FAILS("%u/%{colour}",
		"unknown variable %{colour} at position 6 of "
		"\"%u/%{colour}\"");
	CHECK_FAILS("%{user | default(colour)}",
		"unknown variable %{colour} at position 18 of "
		"\"%{user | default(colour)}\"");
	CHECK_FAILS("%{if;%u;eq;%y;a;b}",
		"unknown variable %y at position 12 of "
		"\"%{if;%u;eq;%y;a;b}\"");
	CHECK_FAILS("%{md5:y}",
		"unknown variable %{y} at position 7 of \"%{md5:y}\"");
}

TEST(an_error_names_the_filter_and_where_it_stands)
{
	CHECK_FAILS("%{user | loud}",
		"filter loud: there is no such filter at position 10 of "
		"\"%{user | loud}\"");
	CHECK_FAILS("%{user | substr}",
		"filter substr: needs at least 1 arguments at position 10 of "
		"\"%{user | substr}\"");
	CHECK_FAILS("%{user | lower(1)}",
		"filter lower: takes at most 0 arguments at position 10 of "
		"\"%{user | lower(1)}\"");
	CHECK_FAILS("%{user | md5(pepper=1)}",
		"filter md5: has no argument \"pepper\" at position 10 of "
		"\"%{user | md5(pepper=1)}\"");
	CHECK_FAILS("%{user | hash('sha3')}",
		"filter hash: the method must be md5, sha1, sha256 or sha512 "
		"at position 10 of \"%{user | hash('sha3')}\"");
	CHECK_FAILS("%{user | number}",
		"filter number: \"Amy.Öz@Mail.Example.org\" is not a number "
		"at position 10 of \"%{user | number}\"");
	CHECK_FAILS("%{user | regexp('(', 'x')}",
		"filter regexp: regular expression: missing closing "
		"parenthesis at position 2 at position 10 of "
		"\"%{user | regexp('(', 'x')}\"");
	CHECK_FAILS("%{uid / 0}",
		"/: division by zero at position 7 of \"%{uid / 0}\"");
	CHECK_FAILS("%{literal('9223372036854775807') + 1}",
		"+: number too large at position 34 of "
		"\"%{literal('9223372036854775807') + 1}\"");
}

TEST(broken_templates_are_refused)
{
	CHECK_FAILS("x%", "no variable behind the % at position 2 of \"x%\"");
	CHECK_FAILS("%L", "unknown variable %L at position 1 of \"%L\"");
	CHECK_FAILS("%12", "no variable behind the % at position 1 of \"%12\"");
	CHECK_FAILS("%{user", "no } for the { at position 2 of \"%{user\"");
	CHECK_FAILS("%{", "a name is missing at position 3 of \"%{\"");
	CHECK_FAILS("%{}", "a name is missing at position 3 of \"%{}\"");
	CHECK_FAILS(
		"%{if;a;eq", "no } for the { at position 2 of \"%{if;a;eq\"");
	CHECK_FAILS("%{if;}",
		"%{if} needs a;operator;b;then;else at position 3 of "
		"\"%{if;}\"");
	CHECK_FAILS("%{if;a;eq;b;c;d;e}",
		"%{if} needs a;operator;b;then;else at position 3 of "
		"\"%{if;a;eq;b;c;d;e}\"");
	CHECK_FAILS("%{if;a;is;b;c;d}",
		"%{if}: unknown comparison \"is\" at position 3 of "
		"\"%{if;a;is;b;c;d}\"");
	CHECK_FAILS("%{user |}", "a filter is missing at position 9 of "
				 "\"%{user |}\"");
	CHECK_FAILS("%{user lower}", "unexpected \"l\" in %{} at position 8 "
				     "of \"%{user lower}\"");
	CHECK_FAILS("%{user | default('x}",
		"no end of the quoted text at position 18 of "
		"\"%{user | default('x}\"");
	CHECK_FAILS("%{user | default('x'}",
		"no ) for the ( at position 17 of \"%{user | default('x'}\"");
	CHECK_FAILS("%99999999u",
		"number too large at position 2 of \"%99999999u\"");
	CHECK_FAILS("%LLLLLLLLLu",
		"more than 8 modifiers at position 10 of \"%LLLLLLLLLu\"");
	CHECK_FAILS("%{sha256;rounds=x:u}",
		"wrong hash option rounds=x at position 10 of "
		"\"%{sha256;rounds=x:u}\"");
	CHECK_FAILS("%{sha256;rounds=0:u}",
		"%{sha256;rounds=0:u}: rounds must be 1 to 100000 at position "
		"3 of \"%{sha256;rounds=0:u}\"");
	CHECK_FAILS("%{sha256}", "unknown variable %{sha256} at position 3 of "
				 "\"%{sha256}\"");
}

TEST(a_text_beyond_the_limit_is_refused)
{
	static char template[2 * 1000 + 1];
	static char value[1000];
	const struct var big = {'u', "user", {value, sizeof(value)}};
	struct arena *own = arena_open();
	struct str text;
	size_t i;

	memset(value, 'x', sizeof(value));
	for (i = 0; i < 1000; i++)
		memcpy(template + 2 * i, "%u", 3);
	CHECK_INT(vars_expand(
			  own, str_of(template, 2 * 262), &big, 1, &text, &err),
		0);
	CHECK_UINT(text.len, 262000);
	CHECK_INT(vars_expand(
			  own, str_of(template, 2 * 263), &big, 1, &text, &err),
		-1);
	arena_close(&own);
}

TEST(a_check_does_not_mind_values_but_names)
{
	static const struct var empty[] = {{'u', "user", {"", 0}}};

	CHECK_INT(vars_check(STR("%u/%{user + 1}/%{if;%u;>;1;a;b}"), empty, 1,
			  &err),
		0);
	CHECK_INT(vars_check(STR("%{user | switch('a', 1, 'b', 2)}"), empty, 1,
			  &err),
		0);
	CHECK_INT(vars_check(STR("%{if;%u;is;1;a;b}"), empty, 1, &err), -1);
	CHECK_INT(vars_check(STR("%{user | regexp('(', '')}"), empty, 1, &err),
		-1);
	CHECK_INT(vars_check(STR("%h"), empty, 1, &err), -1);
	CHECK_STR(err.detail, "unknown variable %h at position 1 of \"%h\"");
}

TEST(the_result_has_a_nul_behind_it)
{
	struct str text;

	CHECK_INT(expand("%h", &text), 0);
	CHECK_STR(text.data, "/srv/amy");
}
