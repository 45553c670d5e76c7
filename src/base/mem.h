/* mem: plain allocation that cannot fail for small sizes.
 *
 * Small, bounded objects: when memory is exhausted the process says so and ends with code 8
 * (ResourceExhausted), after unlinking the one file registered with mem_unlink_on_death(). Nothing
 * half-written survives such an end: a c1z is replaced by rename only when it is whole.
 *
 * Sizes that come from outside (a length in a file, a response) must be checked against a named
 * ceiling before they reach these functions.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Grows or makes an array of count elements; the product is checked for overflow. */
void *mem_realloc_array(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *fmt, ...)
    __attribute__((malloc, format(printf, 1, 2), nonnull(1), returns_nonnull));

/* Borrows the path (NULL: none) until the next call. */
void mem_unlink_on_death(const char *path);
/* Ends the process as described above. */
_Noreturn void mem_die(void);

/* For `mem_auto char *p`: frees at the end of the scope. */
void mem_free_indirect(void *pp);
#define mem_auto __attribute__((cleanup(mem_free_indirect)))

#endif
