/* banned: libc calls that have a better replacement here; using one does not compile.
 * Included by the build into every source of the project. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* glibc makes macros of these two for clang with _FORTIFY_SOURCE. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf strtok gets atoi atol atoll \
    atof scanf sscanf fscanf tmpnam tempnam mktemp

#endif
