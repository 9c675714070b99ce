/* What `bpftool gen object` does: libbpf-gen-object OUT.o IN.o... */
#include <bpf/libbpf.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct bpf_linker *linker;

	if (argc < 3) {
		fprintf(stderr, "usage: libbpf-gen-object OUT.o IN.o...\n");
		return 2;
	}
	linker = bpf_linker__new(argv[1], NULL);
	if (!linker)
		return 1;
	for (int i = 2; i < argc; i++) {
		if (bpf_linker__add_file(linker, argv[i], NULL)) {
			bpf_linker__free(linker);
			return 1;
		}
	}
	return bpf_linker__finalize(linker) ? 1 : 0;
}
