/*
 * What a Cortex-M4 needs to get to main, and to say a line to whoever runs it (semihosting): no libc.
 */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top, data_from, data_begin, data_end, bss_begin, bss_end;

int main(void);
void say(const char *text);
void reset(void);

/* Angel semihosting: operation in r0, its argument in r1. */
static void ask(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *text) {
    ask(0x04, text); /* SYS_WRITE0 */
}

/* Ends the run, with success where main returned 0. */
static void leave(int status) {
    const uint32_t stopped = 0x20026, failed = 0x20023;
    ask(0x18, (const void *)(uintptr_t)(status ? failed : stopped)); /* SYS_EXIT */
    for (;;) {
    }
}

void reset(void) {
    volatile uint32_t *cpacr = (volatile uint32_t *)(uintptr_t)0xe000ed88u;
    uint32_t *to = &data_begin, *from = &data_from;
    *cpacr |= 0xfu << 20; /* the floating-point unit is there for all */
    while (to < &data_end) *to++ = *from++;
    for (to = &bss_begin; to < &bss_end; to++) *to = 0;
    leave(main());
}

static void fault(void) {
    say("fault\n");
    leave(1);
}

/* The table that the processor reads: its stack, where it begins, and faults. */
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {
    (uintptr_t)&stack_top, (uintptr_t)reset, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,      (uintptr_t)fault, (uintptr_t)fault};
