/*
 * Asks libwrap itself, which takes the client's name from its caller. Each line of standard input is a case of six
 * fields between tabs: hosts.allow, hosts.deny, daemon, client's name, address, user. A line of output each: the verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* libwrap's, without its header. */
extern char *hosts_allow_table, *hosts_deny_table;
extern int dry_run;
extern int hosts_ctl(char *daemon, char *name, char *address, char *user);
int allow_severity, deny_severity;

static int ask(char *fields[6]) {
    hosts_allow_table = fields[0];
    hosts_deny_table = fields[1];
    dry_run = 1; /* so that no command is run; twist sets it to 0 */
    int granted = hosts_ctl(fields[2], fields[3], fields[4], fields[5]);
    return dry_run ? granted : 2;
}

int main(void) {
    static const char *const verdicts[] = {"denied", "granted", "delegated"};
    char line[8192];
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever asks waits for the answer */
    while (fgets(line, sizeof line, stdin)) {
        char *fields[6], *rest = line;
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < 6; i++)
            if (!(fields[i] = strsep(&rest, "\t"))) return 1;
        /* A process each: options change the umask, the priority and the user. */
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) _exit(ask(fields));
        int status;
        if (waitpid(child, &status, 0) < 0) return 1;
        puts(WIFEXITED(status) && WEXITSTATUS(status) < 3 ? verdicts[WEXITSTATUS(status)] : "crashed");
    }
    return 0;
}
