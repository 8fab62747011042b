# Looking for libraries and remembering what is missing, so that configure can name everything at once: whoever builds
# from a bare machine installs one list, not eight packages one after the other.

# TARN_NEED_BEGIN: start a list.
AC_DEFUN([TARN_NEED_BEGIN], [tarn_missing=])

# TARN_MISSING(DEBIAN-PACKAGE): remember it.
AC_DEFUN([TARN_MISSING], [tarn_missing="$tarn_missing $1"])

# TARN_NEED_MODULE(VARIABLE-PREFIX, MODULE, DEBIAN-PACKAGE): a pkg-config module.
AC_DEFUN([TARN_NEED_MODULE], [PKG_CHECK_MODULES([$1], [$2], [], [TARN_MISSING([$3])])])

# TARN_NEED_HEADER(HEADER, DEBIAN-PACKAGE): a library that is one header.
AC_DEFUN([TARN_NEED_HEADER], [AC_CHECK_HEADER([$1], [], [TARN_MISSING([$2])])])

# TARN_NEED_LIBRARY(VARIABLE-PREFIX, HEADER, LIBRARY, FUNCTION, DEBIAN-PACKAGE): one that pkg-config does not know.
AC_DEFUN([TARN_NEED_LIBRARY], [
	AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4], [AC_SUBST([$1_LIBS], [-l$3])], [TARN_MISSING([$5])])],
		[TARN_MISSING([$5])])
])

# TARN_NEED_END: stop when something was missing.
AC_DEFUN([TARN_NEED_END], [AS_IF([test -n "$tarn_missing"], [AC_MSG_ERROR([these Debian packages are missing or too old:$tarn_missing
    apt-get install$tarn_missing])])])

# TARN_TRY_LINK(FLAGS, IF-YES, IF-NO): does the compiler link a program with FLAGS?
AC_DEFUN([TARN_TRY_LINK], [
	tarn_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()], [tarn_links=yes], [tarn_links=no])
	CFLAGS=$tarn_saved_CFLAGS
	AS_IF([test "x$tarn_links" = xyes], [$2], [$3])
])
