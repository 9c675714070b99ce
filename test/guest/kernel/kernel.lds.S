/* Preprocessed per architecture: LOAD_ADDRESS is where the machine puts the image. */
OUTPUT_ARCH(ELF_ARCH)
ENTRY(_start)
PHDRS
{
	text PT_LOAD FLAGS(7);
}
SECTIONS
{
	. = LOAD_ADDRESS;
	_stext = .;
	.text : { *(.head.text) *(.text .text.*) } :text
	_etext = .;
	/* Room for breakpoint handlers of a debugger. */
	. = . + 256;
	. = ALIGN(4096);
	__user_start = .;
	.user : { *(.user.text) . = ALIGN(4096); *(.user.data) } :text
	. = ALIGN(4096);
	__user_end = .;
	.rodata : { *(.rodata .rodata.* .srodata .srodata.*) } :text
	.data : { *(.data .data.* .sdata .sdata.* .got .got.*) } :text
	.bss : { *(.bss .bss.* .sbss .sbss.* COMMON) } :text
	. = ALIGN(4096);
	_end = .;
	/* Not part of the image: zeros at power-on. Executable pages for whoever instruments the kernel, then `control`. */
	.probe_pages (NOLOAD) : { probe_pages = .; . = . + 65536; probe_pages_end = .; *(.control) } :NONE
	/DISCARD/ : { *(.comment) *(.note .note.*) *(.eh_frame) *(.riscv.attributes) *(.interp) }
}
