import type { BtfType, NewBtfType } from '../../btf/index.js';

/** A type as it is added elsewhere, its references led to where they are now. */
export function remapType(type: Exclude<BtfType, { kind: 'void' }>, map: (id: number) => number): NewBtfType {
  switch (type.kind) {
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'type_tag':
    case 'func':
    case 'var':
    case 'decl_tag':
      return { ...type, type: map(type.type) };
    case 'array':
      return { ...type, elementType: map(type.elementType), indexType: map(type.indexType) };
    case 'struct':
    case 'union':
      return { ...type, members: type.members.map((member) => ({ ...member, type: map(member.type) })) };
    case 'func_proto':
      return {
        ...type,
        returnType: map(type.returnType),
        params: type.params.map((param) => ({ ...param, type: map(param.type) })),
      };
    case 'datasec':
      return { ...type, vars: type.vars.map((each) => ({ ...each, type: map(each.type) })) };
    default:
      return type;
  }
}
