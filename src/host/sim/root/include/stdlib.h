/* Nor memory allocation. */
void *malloc(unsigned long size);
