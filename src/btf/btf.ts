/** placeholder replaced by the btf layer's author */
export class Btf {}
