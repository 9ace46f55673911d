/* Behind epmd.c: the program as it was loaded. */
static void begin_program(void)
{
	static struct settings initial;
	static int begun;

	if (!begun)
		initial = set;
	begun = 1;
	set = initial;
	memset(&cli, 0, sizeof cli);
	listen_len = 0;
	alarm_s = 0;
	time_ms = 0;
	is_silent = 0;
	shown.len = shown_wrong.len = 0;
	shown.text[0] = shown_wrong.text[0] = '\0';
}
