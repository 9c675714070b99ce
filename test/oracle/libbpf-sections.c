/*
 * What libbpf makes of section names: reads one a line and prints `TYPE EXPECTED_ATTACH_TYPE`, or `unknown`. Nothing reaches
 * the kernel.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	char name[512];

	libbpf_set_print(NULL);
	while (fgets(name, sizeof(name), stdin)) {
		enum bpf_prog_type type;
		enum bpf_attach_type attach;

		name[strcspn(name, "\n")] = 0;
		if (libbpf_prog_type_by_name(name, &type, &attach))
			puts("unknown");
		else
			printf("%d %d\n", type, attach);
	}
	return 0;
}
