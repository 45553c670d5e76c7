#include "base/pages.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int drop_library(struct dl_phdr_info *library, size_t size, void *payload) {
    (void)size;
    const bool *only_tables = payload;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0 ||
            (*only_tables && (segment->p_flags != PF_R || segment->p_offset != 0)))
            continue;
        uintptr_t at = (library->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = library->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        madvise((void *)at, end - at, MADV_DONTNEED);
    }
    return 0;
}

void pages_drop_link_tables(void) {
    bool only_tables = true;
    dl_iterate_phdr(drop_library, &only_tables);
}

/* glibc keeps some freed blocks of each small size for the next who asks (its tcache: seven of each up to
 * about a kilobyte) and never gives them back. Whatever page one of them happens to lie in stays, so a
 * process that works for months collects such pages. */
enum { CACHED_EACH = 7, CACHED_MIN = 24, CACHED_STEP = 16, CACHED_MAX = 1032 };

/* One block after the other, linked through their first words. */
static void *take_blocks(void) {
    void *blocks = NULL;
    for (size_t size = CACHED_MIN; size <= CACHED_MAX; size += CACHED_STEP) {
        for (int i = 0; i < CACHED_EACH; i++) {
            void **block = malloc(size);
            if (!block)
                return blocks;
            *block = blocks;
            blocks = block;
        }
    }
    return blocks;
}

static void free_blocks(void *blocks) {
    while (blocks) {
        void *next = *(void **)blocks;
        free(blocks);
        blocks = next;
    }
}

/* The cached blocks are taken, as many others put in their place, and then there is no room for the first:
 * they go back to the heap for good. To another allocator it is some thousand calls like any other. */
static void gather_cached_blocks(void) {
    void *scattered = take_blocks(), *together = take_blocks();
    free_blocks(together);
    free_blocks(scattered);
}

void pages_drop_all(void) {
    bool only_tables = false;
    gather_cached_blocks();
    malloc_trim(0);
    dl_iterate_phdr(drop_library, &only_tables);
}
