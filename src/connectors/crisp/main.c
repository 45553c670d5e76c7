#include "baton/program.h"
#include "connectors/crisp/crisp.h"

int main(int argc, char **argv) {
    return baton_main(argc, argv, &crisp_connector);
}
