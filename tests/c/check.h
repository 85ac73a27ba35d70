/* What the C test programs share: named checks, files, time, a port that refuses. */
#ifndef CHECK_H
#define CHECK_H

#include <resup.h>

#include <stdio.h>

/* Each is one check with a name; a failure is printed and does not end the program. */
#define CHECK(condition, name) check_that((condition) != 0, (name), __FILE__, __LINE__)
#define CHECK_STATUS(got, wanted, name) check_status((got), (wanted), (name), __FILE__, __LINE__)
/* Checks that the text is not NULL and contains the part. */
#define CHECK_TEXT(text, part, name) check_text((text), (part), (name), __FILE__, __LINE__)

/* All three return whether the check passed; any thread may call them. */
int check_that(int condition, const char *name, const char *file, int line);
int check_status(resup_status got, resup_status wanted, const char *name, const char *file,
                 int line);
int check_text(const char *text, const char *part, const char *name, const char *file, int line);

/* Ends the program when the condition is false: without it nothing can be tested. */
void need(int condition, const char *what);

/* Prints how many checks ran and how many failed, and returns the exit status for main. */
int check_summary(const char *program);

/* The statuses of the header. */
extern const resup_status known_statuses[];
extern const int known_statuses_count;
int is_known_status(resup_status status);

/* Converts a text, which is valid UTF-8, to UTF-16. */
void to_utf16(uint16_t *out, const char *text);
/* Opens a file as fopen does, with a path in UTF-8 on every system. */
FILE *open_file(const char *path, const char *mode);

/* Fills memory or a file with bytes that depend on the seed. */
void fill(unsigned char *bytes, size_t size, uint64_t seed);
void make_file(const char *path, uint64_t size, uint64_t seed);
void write_file(const char *path, const void *bytes, size_t size);
int same_files(const char *left, const char *right);

void sleep_ms(unsigned milliseconds);
uint64_t now_ms(void);

/* Returns "http://127.0.0.1:PORT/upload" of a port that stays reserved and refuses every connection. */
const char *refusing_url(void);

#endif
