dnl SPDX-License-Identifier: MIT
dnl Macros of this project.

dnl DOORSTEP_CFLAGS(VARIABLE, FLAGS): append each flag the compiler takes.
AC_DEFUN([DOORSTEP_CFLAGS], [
  for doorstep_flag in m4_normalize([$2]); do
    doorstep_saved=$CFLAGS
    CFLAGS="$CFLAGS -Werror $doorstep_flag"
    AC_MSG_CHECKING([whether $CC takes $doorstep_flag])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes]); $1="$$1 $doorstep_flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$doorstep_saved
  done
])

dnl DOORSTEP_LIBRARY(PREFIX, MODULE, DEBIAN-PACKAGE, HEADER, LIB, FUNCTION):
dnl find MODULE by pkg-config or end with the package's name.  With HEADER, LIB
dnl and FUNCTION also prove that a program with it links: a library of the same
dnl name may be another one.
AC_DEFUN([DOORSTEP_LIBRARY], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is missing: install the Debian package $3])])
  m4_ifnblank([$4], [
    doorstep_saved_cflags=$CFLAGS doorstep_saved_libs=$LIBS
    CFLAGS="$CFLAGS $$1_CFLAGS" LIBS="$$1_LIBS $LIBS"
    AC_CHECK_HEADER([$4], [],
      [AC_MSG_ERROR([$4 is missing: install the Debian package $3])])
    AC_CHECK_FUNC([$6], [],
      [AC_MSG_ERROR([$5 lacks $6: install the Debian package $3])])
    CFLAGS=$doorstep_saved_cflags LIBS=$doorstep_saved_libs
  ])
])

dnl DOORSTEP_BERKELEY_DB(DEBIAN-PACKAGE): Berkeley DB 5.3, header and library of
dnl the same release.  Sets BDB_LIBS.
AC_DEFUN([DOORSTEP_BERKELEY_DB], [
  AC_MSG_CHECKING([for Berkeley DB 5.3])
  doorstep_saved_libs=$LIBS
  LIBS="-ldb-5.3 $LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <db.h>
#if DB_VERSION_MAJOR != 5 || DB_VERSION_MINOR != 3
#error "Berkeley DB 5.3 is needed"
#endif
]], [[DB *db; return db_create(&db, (DB_ENV *)0, 0);]])],
    [AC_MSG_RESULT([yes]); BDB_LIBS="-ldb-5.3"],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([Berkeley DB 5.3 is missing: install the Debian package $1])])
  LIBS=$doorstep_saved_libs
  AC_SUBST([BDB_LIBS])
])

dnl DOORSTEP_HIREDIS(DEBIAN-PACKAGE): hiredis, which --with-hiredis asks for.  Sets
dnl HIREDIS_LIBS and HAVE_HIREDIS.
AC_DEFUN([DOORSTEP_HIREDIS], [
  doorstep_have_hiredis=no
  AS_IF([test "x$with_hiredis" != xno], [
    AC_MSG_CHECKING([for hiredis])
    doorstep_saved_libs=$LIBS
    LIBS="-lhiredis $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <hiredis/hiredis.h>
#include <hiredis/async.h>
]], [[return redisAsyncConnect("127.0.0.1", 1) == 0;]])],
      [doorstep_have_hiredis=yes])
    LIBS=$doorstep_saved_libs
    AC_MSG_RESULT([$doorstep_have_hiredis])
    AS_IF([test "x$with_hiredis" = xyes && test $doorstep_have_hiredis = no],
      [AC_MSG_ERROR([hiredis is missing: install the Debian package $1])])
  ])
  AS_IF([test $doorstep_have_hiredis = yes], [
    HIREDIS_LIBS=-lhiredis
    AC_DEFINE([HAVE_HIREDIS], [1], [Can counts of quota be kept in Redis?])
  ])
  AC_SUBST([HIREDIS_LIBS])
])

dnl DOORSTEP_ARGON2(DEBIAN-PACKAGE): libargon2, which --with-argon2 asks for.  Sets
dnl ARGON2_LIBS and HAVE_ARGON2.
AC_DEFUN([DOORSTEP_ARGON2], [
  doorstep_have_argon2=no
  AS_IF([test "x$with_argon2" != xno], [
    AC_MSG_CHECKING([for argon2])
    doorstep_saved_libs=$LIBS
    LIBS="-largon2 $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <argon2.h>
]], [[return argon2_verify("", "", 0, Argon2_id);]])],
      [doorstep_have_argon2=yes])
    LIBS=$doorstep_saved_libs
    AC_MSG_RESULT([$doorstep_have_argon2])
    AS_IF([test "x$with_argon2" = xyes && test $doorstep_have_argon2 = no],
      [AC_MSG_ERROR([argon2 is missing: install the Debian package $1])])
  ])
  AS_IF([test $doorstep_have_argon2 = yes], [
    ARGON2_LIBS=-largon2
    AC_DEFINE([HAVE_ARGON2], [1], [Can passwords be checked against Argon2?])
  ])
  AC_SUBST([ARGON2_LIBS])
])

dnl DOORSTEP_LIBSIEVE(DEBIAN-PACKAGE): libsieve, which --with-libsieve asks for.  It
dnl has no pkg-config file.  Sets LIBSIEVE_LIBS and HAVE_LIBSIEVE.
AC_DEFUN([DOORSTEP_LIBSIEVE], [
  doorstep_have_libsieve=no
  AS_IF([test "x$with_libsieve" != xno], [
    AC_MSG_CHECKING([for libsieve])
    doorstep_saved_libs=$LIBS
    LIBS="-lsieve $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <stddef.h>
#include <sieve2.h>
]], [[sieve2_context_t *context = NULL; return sieve2_alloc(&context);]])],
      [doorstep_have_libsieve=yes])
    LIBS=$doorstep_saved_libs
    AC_MSG_RESULT([$doorstep_have_libsieve])
    AS_IF([test "x$with_libsieve" = xyes && test $doorstep_have_libsieve = no],
      [AC_MSG_ERROR([libsieve is missing: install the Debian package $1])])
  ])
  AS_IF([test $doorstep_have_libsieve = yes], [
    LIBSIEVE_LIBS=-lsieve
    AC_DEFINE([HAVE_LIBSIEVE], [1], [Is the engine libsieve part of this build?])
  ])
  AC_SUBST([LIBSIEVE_LIBS])
  AM_CONDITIONAL([LIBSIEVE], [test $doorstep_have_libsieve = yes])
])
