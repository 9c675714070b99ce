/**
 * The part of a type's name that counts when types are matched across kernels: `task_struct___v2` is a
 * flavour of `task_struct`. The separator is three underscores between characters that are none.
 */
export function essentialName(name: string): string {
  for (let at = name.lastIndexOf('___'); at > 0; at = name.lastIndexOf('___', at - 1)) {
    const after = name.charAt(at + 3);
    if (after !== '' && after !== '_' && name.charAt(at - 1) !== '_') return name.substring(0, at);
  }
  return name;
}
