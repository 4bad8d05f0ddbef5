/*
 * Prints Sources/CSeccomp/programs.h: for each architecture and each process, the program that allows the system calls
 * of a list (policy.c) and kills the process at any other; that of the helper for names makes the others fail.
 * libseccomp generates the programs here, so that the daemon need not link it.
 *
 *     cc -o generate generate.c policy.c -lseccomp && ./generate
 */
#define _GNU_SOURCE
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The action for a call that is on the list of a role, and for one that is not. */
static uint32_t effect_on_listed(unsigned role) { return role == LOOKUP ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW; }
static uint32_t effect_on_others(unsigned role) {
    switch (role) {
    case NAMES: return SCMP_ACT_ERRNO(EPERM);
    case LOOKUP: return SCMP_ACT_ALLOW;
    default: return SCMP_ACT_KILL_PROCESS;
    }
}

static void must(int result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "generate: %s: %s\n", what, strerror(-result));
    exit(1);
}

/* Whether the program of a role for an architecture gets rules for the call: it is on the list, and the architecture
 * has it. libseccomp omits rules for calls that the architecture lacks. But given a priority for a call without a rule,
 * it generates a program that may not load the number of the call at all. */
static bool has_rule(uint32_t processor, const struct role *role, const char *call) {
    bool is_listed = false;
    for (const struct rule *rule = rules; rule < rules + rule_count; rule++)
        if (rule->roles & role->bit && strcmp(rule->call, call) == 0) is_listed = true;
    const int number = seccomp_syscall_resolve_name_arch(processor, call);
    if (number == __NR_SCMP_ERROR) {
        fprintf(stderr, "generate: %s: unknown to libseccomp\n", call);
        exit(1);
    }
    return is_listed && number >= 0;
}

/* The flags of open(2) on an architecture, where they may differ from those of this one. */
static uint64_t flags_of_open(uint32_t processor, uint64_t flags) {
    if (flags & (O_DIRECTORY | O_DIRECT)) must(-EINVAL, "tell flags of open");
    const uint64_t no_follow = processor == SCMP_ARCH_AARCH64 ? 0100000 : 0400000;
    return flags & O_NOFOLLOW ? (flags & ~(uint64_t)O_NOFOLLOW) | no_follow : flags;
}

static int add(scmp_filter_ctx filter, uint32_t processor, const struct rule *rule, uint32_t effect) {
    /* The number is that of this architecture, also if the filter is for another: libseccomp translates it. */
    const int call = seccomp_syscall_resolve_name(rule->call);
    switch (rule->condition) {
    case NOT_EXECUTABLE:
        return seccomp_rule_add(filter, effect, call, 1,
                                SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case CODE_OF_A_FILE:
        return seccomp_rule_add(filter, effect, call, 2,
                                SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                                SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
    case SOCKET:
        return seccomp_rule_add(filter, effect, call, 2, SCMP_CMP32(0, SCMP_CMP_EQ, rule->value),
                                SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xf, rule->argument));
    case IN_DIRECTORY:
        return seccomp_rule_add(filter, effect, call, 2, SCMP_CMP32(0, SCMP_CMP_EQ, rule->argument),
                                SCMP_CMP32(2, SCMP_CMP_EQ, flags_of_open(processor, rule->value)));
    case AT_MOST:
        return seccomp_rule_add(filter, effect, call, 1,
                                SCMP_CMP32(rule->argument, SCMP_CMP_LE, rule->value));
    case NONE_OF:
        return seccomp_rule_add(filter, effect, call, 1,
                                SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, rule->value, 0));
    case EQUAL:
        return seccomp_rule_add(filter, effect, call, 1,
                                SCMP_CMP32(rule->argument, SCMP_CMP_EQ, rule->value));
    default: return seccomp_rule_add(filter, effect, call, 0);
    }
}

/* The program of one process, as an array of instructions. */
static void print_program(uint32_t processor, const struct role *role) {
    scmp_filter_ctx filter = seccomp_init(effect_on_others(role->bit));
    if (!filter) must(-ENOMEM, "make a filter");
    must(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "refuse other processors");
    if (seccomp_arch_native() != processor) {
        must(seccomp_arch_add(filter, processor), "add processor");
        must(seccomp_arch_remove(filter, seccomp_arch_native()), "remove processor");
    }
    for (const struct rule *rule = rules; rule < rules + rule_count; rule++)
        if (rule->roles & role->bit && has_rule(processor, role, rule->call))
            must(add(filter, processor, rule, effect_on_listed(role->bit)), "add rule");
    /* The calls made for each batch of packets are tested first. */
    const char *const often[] = {"recvmmsg", "poll", "ppoll"};
    for (size_t index = 0; index < sizeof often / sizeof often[0]; index++)
        if (has_rule(processor, role, often[index]))
            must(seccomp_syscall_priority(filter, seccomp_syscall_resolve_name(often[index]), 255 - index),
                 "set priority");

    struct sock_filter program[512];
    int file = memfd_create("program", 0);
    must(file < 0 ? -errno : 0, "make a file");
    must(seccomp_export_bpf(filter, file), "export");
    ssize_t size = pread(file, program, sizeof program, 0);
    if (size <= 0 || size == sizeof program) must(-E2BIG, "read");
    close(file);
    seccomp_release(filter);

    printf("static const struct sock_filter %s_program[] = {", role->name);
    for (size_t index = 0; index < size / sizeof program[0]; index++) {
        const struct sock_filter *it = &program[index];
        printf("%s{0x%02x, %u, %u, 0x%08x},", index % 4 ? " " : "\n    ", it->code, it->jt, it->jf, it->k);
    }
    printf("\n};\n\n");
}

int main(void) {
    const struct scmp_version *version = seccomp_version();
    printf("/* Made by policy/generate.c of policy/policy.c with libseccomp %u.%u.%u: change these, and run make "
           "system-calls. */", version->major, version->minor, version->micro);
    printf("\n\n");
    printf("#if defined __x86_64__\n\n");
    for (unsigned index = 0; index < role_count; index++) print_program(SCMP_ARCH_X86_64, &roles[index]);
    printf("#else /* __aarch64__ */\n\n");
    for (unsigned index = 0; index < role_count; index++) print_program(SCMP_ARCH_AARCH64, &roles[index]);
    printf("#endif\n");
    return 0;
}
