/* What the C test programs share: named checks, files, time, a port that refuses. */
#ifndef CHECK_H
#define CHECK_H

#include <resup.h>

#include <stdio.h>

/* One check; it names itself, and a failure does not end the program. */
#define CHECK(condition, name) check_that((condition) != 0, (name), __FILE__, __LINE__)
#define CHECK_STATUS(got, wanted, name) check_status((got), (wanted), (name), __FILE__, __LINE__)
/* The text is there and contains the part. */
#define CHECK_TEXT(text, part, name) check_text((text), (part), (name), __FILE__, __LINE__)

/* All three return whether the check held; any thread may call them. */
int check_that(int condition, const char *name, const char *file, int line);
int check_status(resup_status got, resup_status wanted, const char *name, const char *file,
                 int line);
int check_text(const char *text, const char *part, const char *name, const char *file, int line);

/* Ends the program at once: without this there is nothing to test. */
void need(int condition, const char *what);

/* Prints how many checks ran and how many failed; what main returns. */
int check_summary(const char *program);

/* The statuses that the header knows. */
extern const resup_status known_statuses[];
extern const int known_statuses_count;
int is_known_status(resup_status status);

/* UTF-16 of a text that is valid UTF-8. */
void to_utf16(uint16_t *out, const char *text);
/* fopen, of a path in UTF-8 on every system. */
FILE *open_file(const char *path, const char *mode);

/* Bytes that depend on the seed. */
void fill(unsigned char *bytes, size_t size, uint64_t seed);
void make_file(const char *path, uint64_t size, uint64_t seed);
void write_file(const char *path, const void *bytes, size_t size);
int same_files(const char *left, const char *right);

void sleep_ms(unsigned milliseconds);
uint64_t now_ms(void);

/* "http://127.0.0.1:PORT/upload" of a port that stays reserved and refuses every connection. */
const char *refusing_url(void);

#endif
