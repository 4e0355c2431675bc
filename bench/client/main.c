#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "client run OPERATION DIRECTORY CLIENTS SECONDS FILES [PIDS [SOURCE]]\n"
                            "client prepare DIRECTORY FILES BYTES CLIENTS\n"
                            "client read-all|populate|know DIRECTORY FILES\n"
                            "client longest PATH SECONDS\n";

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "run") == 0 && argc >= 7) {
        file_count = (unsigned)atoi(argv[6]);
        source_directory = argc > 8 ? argv[8] : argv[3];
        return measure(argv[2], argv[3], (unsigned)atoi(argv[4]), atof(argv[5]), argc > 7 ? argv[7] : "");
    }
    if (strcmp(what, "prepare") == 0 && argc == 6)
        return prepare(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
    if (strcmp(what, "read-all") == 0 && argc == 4)
        return read_all(argv[2], (unsigned)atoi(argv[3]));
    if (strcmp(what, "populate") == 0 && argc == 4)
        return populate(argv[2], (unsigned)atoi(argv[3]));
    if (strcmp(what, "know") == 0 && argc == 4)
        return know(argv[2], (unsigned)atoi(argv[3]));
    if (strcmp(what, "longest") == 0 && argc == 4)
        return longest_call(argv[2], atof(argv[3]));
    fputs(usage, stderr);
    return 2;
}
