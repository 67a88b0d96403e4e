/**
 * AssemblyScript's syntax as the scanner reads it: what the compiler's parser yields, without what
 * no rule looks at. Types are names: generics keep their outer name, nullable ones say so.
 */

/** A place in a source file; line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface TypeName {
  readonly name: string;
  readonly isNullable: boolean;
  /** First argument of a generic type: what an array holds. */
  readonly element: TypeName | null;
}

export type Expression = { readonly place: Place } & (
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "float" }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "constant"; readonly value: "true" | "false" | "null" }
  | { readonly type: "list"; readonly items: readonly Expression[] }
  | { readonly type: "member"; readonly object: Expression; readonly property: string }
  | { readonly type: "index"; readonly object: Expression; readonly index: Expression }
  | {
      readonly type: "call";
      readonly callee: Expression;
      readonly typeArguments: readonly TypeName[];
      readonly args: readonly Expression[];
    }
  | { readonly type: "new"; readonly className: string; readonly args: readonly Expression[] }
  | {
      readonly type: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: "unary"; readonly operator: string; readonly operand: Expression }
  /** `target` is null for a non-null assertion. */
  | { readonly type: "cast"; readonly target: TypeName | null; readonly operand: Expression }
  | {
      readonly type: "choice";
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    }
  /** A function without a name of its own; it reaches nothing of what surrounds it. */
  | { readonly type: "function"; readonly function: FunctionSyntax }
  | { readonly type: "other"; readonly parts: readonly Expression[] }
);

export interface Variable {
  readonly name: string;
  readonly declaredType: TypeName | null;
  readonly initializer: Expression | null;
  readonly isConstant: boolean;
  readonly place: Place;
}

export type Statement = { readonly place: Place } & (
  | { readonly type: "expression"; readonly expression: Expression }
  | { readonly type: "variables"; readonly variables: readonly Variable[] }
  | { readonly type: "block"; readonly statements: readonly Statement[] }
  | {
      readonly type: "if";
      readonly condition: Expression;
      readonly whenTrue: Statement;
      readonly whenFalse: Statement | null;
    }
  | {
      readonly type: "loop";
      readonly initializer: Statement | null;
      /** Null: without end. */
      readonly condition: Expression | null;
      readonly step: Expression | null;
      readonly body: Statement;
      /** Whether the body runs before the condition is judged. */
      readonly isBodyFirst: boolean;
    }
  | {
      readonly type: "switch";
      readonly value: Expression;
      readonly cases: readonly {
        readonly label: Expression | null;
        readonly statements: readonly Statement[];
      }[];
    }
  | { readonly type: "return"; readonly value: Expression | null }
  | { readonly type: "throw"; readonly value: Expression }
  | { readonly type: "break"; readonly label: string | null }
  | { readonly type: "continue"; readonly label: string | null }
  | { readonly type: "empty" }
);

export interface Parameter {
  readonly name: string;
  readonly declaredType: TypeName;
  /** Whether a constructor's parameter is a field too. */
  readonly isField: boolean;
}

export interface FunctionSyntax {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly returnType: TypeName;
  readonly body: Statement | null;
  readonly isExported: boolean;
  readonly isStatic: boolean;
  /** Module and name of an imported function, null for one of its own. */
  readonly external: { readonly module: string; readonly name: string } | null;
  readonly place: Place;
}

export interface ClassSyntax {
  readonly name: string;
  readonly fields: readonly Variable[];
  readonly methods: readonly FunctionSyntax[];
  /** The class that it extends, null for none. */
  readonly base: string | null;
  readonly interfaces: readonly string[];
  readonly isExported: boolean;
  readonly place: Place;
}

export interface ImportSyntax {
  /** Local name -> name in the other file; `*` stands for all of it. */
  readonly names: ReadonlyMap<string, string>;
  /** The other file's path, without extension. */
  readonly from: string;
  /** Whether the names are handed on to whoever imports this file. */
  readonly isReexport: boolean;
  readonly place: Place;
}

export interface FileSyntax {
  readonly path: string;
  readonly text: string;
  readonly functions: readonly FunctionSyntax[];
  readonly classes: readonly ClassSyntax[];
  /** Variables at the file's top level. */
  readonly variables: readonly Variable[];
  readonly imports: readonly ImportSyntax[];
  /** Local names that an `export { … }` without a path lists, by the name outside. */
  readonly exports: ReadonlyMap<string, string>;
}
