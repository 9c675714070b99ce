/**
 * With KSCOPE_SHARED_MEMORY=1 every memory that tests make is shared, and what browsers refuse to do with shared bytes
 * is refused here as well.
 */
const { Memory } = WebAssembly;
// oxlint-disable-next-line typescript/unbound-method -- called on the decoder at hand
const { decode } = TextDecoder.prototype;
const MOST_PAGES = 65536;

class AlwaysShared extends Memory {
  constructor(descriptor: ConstructorParameters<typeof Memory>[0]) {
    super({ maximum: MOST_PAGES, ...descriptor, shared: true });
  }
}

WebAssembly.Memory = AlwaysShared;

TextDecoder.prototype.decode = function (input?: ArrayBufferView | ArrayBuffer) {
  const buffer = ArrayBuffer.isView(input) ? input.buffer : input;
  if (buffer instanceof SharedArrayBuffer) throw new TypeError('the view of bytes to decode must not be shared');
  return decode.call(this, input);
};
