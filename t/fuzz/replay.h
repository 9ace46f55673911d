/*
 * For a fuzz target built without libFuzzer (-DREPLAY): a main that runs the files named on the
 * command line.
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
