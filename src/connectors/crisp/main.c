#include "connectors/crisp/crisp.h"
#include "program/program.h"

int main(int argc, char **argv) {
    return baton_main(argc, argv, &crisp_connector);
}
