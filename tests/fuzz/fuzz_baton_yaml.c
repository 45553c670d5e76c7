/* The bytes are a config file. Whatever they are, the parser ends with entries or with a text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "baton/yaml_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yaml_file file;
    struct err err = ERR_INIT;
    if (!yaml_file_parse((const char *)data, size, &file, &err)) {
        assert(err.code != ERR_OK && err.msg[0]);
        return 0;
    }
    size_t items = 0;
    for (size_t i = 0; i < file.count; i++) {
        const struct yaml_entry *e = &file.entries[i];
        assert(e->line > 0);
        assert(e->kind != YAML_SCALAR || e->items.count == 1);
        assert((e->kind != YAML_NULL && e->kind != YAML_MAP) || e->items.count == 0);
        items += e->items.count;
    }
    assert(file.count <= YAML_FILE_MAX_KEYS && items <= YAML_FILE_MAX_ITEMS);
    yaml_file_done(&file);
    return 0;
}
