/* The simulated machine has no library: this is here to be opened. */
int printf(const char *format, ...);
