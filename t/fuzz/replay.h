/*
 * What the fuzz targets share; and for one that is built without libFuzzer (-DREPLAY) a main that
 * runs the files named on the command line.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TELLS
#define TELLS 0 /* whether the target tells what came of each file, on its line */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* What a target insists on. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* At most so many bytes of it; *len is set to how many. */
static inline const uint8_t *take_bytes(struct input *in, size_t *len)
{
	const uint8_t *const at = in->at;

	if (*len > in->left)
		*len = in->left;
	in->at += *len;
	in->left -= *len;
	return at;
}

/* A number of so many bytes, which are zero behind the end. */
static inline unsigned take(struct input *in, unsigned bytes)
{
	unsigned v = 0;
	size_t one;

	for (; bytes > 0; bytes--) {
		v = v << 8 | (in->left > 0 ? *in->at : 0);
		one = 1;
		take_bytes(in, &one);
	}
	return v;
}

/* The bytes of the well-formed character that these begin with; 0 where there is none. */
static inline size_t character(const uint8_t *s, size_t len)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t n = *s < 0x80 ? 1 : (*s & 0xe0) == 0xc0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 :
	    (*s & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t code;
	size_t k;

	if (n == 0 || n > len)
		return 0;
	code = n == 1 ? *s : *s & (0xffu >> (n + 1));
	for (k = 1; k < n; k++) {
		if ((s[k] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[k] & 0x3f);
	}
	return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : n;
}

#ifdef REPLAY
static int replay(const char *name)
{
	static uint8_t bytes[1 << 20];
	FILE *const file = fopen(name, "rb");
	size_t len, i;
	uint8_t *exact;

	if (file == NULL) {
		perror(name);
		return 0;
	}
	if (TELLS)
		printf("%s:", strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name);
	len = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	exact = malloc(len + (len == 0)); /* so that a sanitizer sees a read behind its end */
	for (i = 0; i < len; i++)
		exact[i] = bytes[i];
	LLVMFuzzerTestOneInput(exact, len);
	if (TELLS)
		printf("\n");
	free(exact);
	return 1;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!replay(argv[i]))
			return 2;
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif

#endif
