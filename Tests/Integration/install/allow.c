/* Runs a program that may only make the system calls named in a file, as under a service manager's filter:
   allow FILE PROGRAM ARGUMENT... Any other fails with EPERM. */
#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char name[80];
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

    if (argc < 3 || !filter) errx(1, "usage: allow FILE PROGRAM ARGUMENT...");
    FILE *names = fopen(argv[1], "r");
    if (!names) err(1, "%s", argv[1]);
    while (fscanf(names, "%79s", name) == 1) {
        int call = seccomp_syscall_resolve_name(name);
        int result = call < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
        if (result < 0 && result != -EEXIST) errx(1, "%s: %s", name, strerror(-result));
    }
    fclose(names);
    int result = seccomp_load(filter);
    if (result < 0) errx(1, "load: %s", strerror(-result));
    execv(argv[2], argv + 2);
    err(1, "%s", argv[2]);
}
