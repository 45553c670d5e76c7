#include "base/pages.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
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

void pages_drop_all(void) {
    bool only_tables = false;
    malloc_trim(0);
    dl_iterate_phdr(drop_library, &only_tables);
}
