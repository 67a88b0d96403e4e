import { HOST_MODULE, type HostImport, isHostImport } from "@credlink/contracts-vm/inspect";
import { isSdkFile } from "../sdk.ts";
import type {
  ClassSyntax,
  Expression,
  FileSyntax,
  FunctionSyntax,
  Statement,
  TypeName,
  Variable,
} from "./syntax.ts";
import { visitBody, visitExpression, visitStatements } from "./visit.ts";

/** A function or method of the sources, with what it is called by. */
export interface SourceFunction {
  /** `file#name` or `file#Class.name`. */
  readonly id: string;
  readonly file: FileSyntax;
  readonly owner: ClassSyntax | null;
  readonly syntax: FunctionSyntax;
  /** The host function that it stands for, null for all others. */
  readonly effect: HostImport | null;
  /** Whether it belongs to the SDK as this release has it: trusted, and no place to report. */
  readonly isSdk: boolean;
}

interface FoundClass {
  readonly class: ClassSyntax;
  readonly file: FileSyntax;
}

type Found =
  | { readonly kind: "function"; readonly function: SourceFunction }
  | { readonly kind: "class"; readonly class: ClassSyntax; readonly file: FileSyntax }
  | { readonly kind: "variable"; readonly variable: Variable; readonly file: FileSyntax }
  | { readonly kind: "file"; readonly file: FileSyntax };

/** A call in the sources, and whom it reaches. */
export interface ResolvedCall {
  readonly callee: SourceFunction | null;
  /** The object of a method call. */
  readonly receiver: Expression | null;
  readonly args: readonly Expression[];
  /** Name of a function that is not in the sources: the language's own. */
  readonly builtin: string | null;
}

/** Sources with their names resolved: scopes, imports, methods by their object's type. */
export class SourceProgram {
  readonly files: readonly FileSyntax[];
  readonly entry: FileSyntax;
  readonly functions: ReadonlyMap<string, SourceFunction>;
  private readonly byPath: ReadonlyMap<string, FileSyntax>;
  private readonly methodsByName: ReadonlyMap<string, readonly SourceFunction[]>;
  private readonly scopes = new Map<string, Scope>();
  private valueIds: readonly string[] | null = null;

  constructor(files: readonly FileSyntax[], entry: FileSyntax) {
    this.files = files;
    this.entry = entry;
    this.byPath = new Map(files.map((file) => [file.path.replace(/\.ts$/, ""), file]));
    const functions = new Map<string, SourceFunction>();
    for (const file of files) {
      for (const syntax of file.functions) this.add(functions, file, null, syntax);
      for (const owner of file.classes) {
        for (const syntax of owner.methods) this.add(functions, file, owner, syntax);
      }
      const fields = file.classes.flatMap((each) => each.fields);
      for (const { initializer } of [...file.variables, ...fields]) {
        if (initializer === null) continue;
        visitExpression(initializer, (each) => this.addUnnamed(functions, file, each));
      }
    }
    this.functions = functions;
    this.methodsByName = Map.groupBy(functions.values(), ({ syntax }) => syntax.name);
  }

  private add(
    functions: Map<string, SourceFunction>,
    file: FileSyntax,
    owner: ClassSyntax | null,
    syntax: FunctionSyntax,
  ): void {
    const { external } = syntax;
    const name = external?.name ?? "";
    const effect = external?.module === HOST_MODULE && isHostImport(name) ? name : null;
    const id = idOf(file, owner, syntax.name);
    functions.set(id, { id, file, owner, syntax, effect, isSdk: isSdkFile(file) });
    visitBody(syntax.body, (each) => this.addUnnamed(functions, file, each));
  }

  private addUnnamed(
    functions: Map<string, SourceFunction>,
    file: FileSyntax,
    expression: Expression,
  ): void {
    if (expression.type === "function") this.add(functions, file, null, expression.function);
  }

  /** Methods that the entry file exports. */
  get methods(): readonly SourceFunction[] {
    const own = this.entry.functions.filter(
      ({ isExported, name }) => isExported && !name.includes("."),
    );
    const listed = [...this.entry.exports.values()];
    const names = [...own.map(({ name }) => name), ...listed];
    return names.flatMap((name) => {
      const found = this.resolve(this.entry, name);
      return found?.kind === "function" ? [found.function] : [];
    });
  }

  /** What a name of a file's top level means. */
  resolve(file: FileSyntax, name: string, depth = 0): Found | null {
    const own = this.functions.get(idOf(file, null, name));
    if (own !== undefined) return { kind: "function", function: own };
    const ownClass = file.classes.find((each) => each.name === name);
    if (ownClass !== undefined) return { kind: "class", class: ownClass, file };
    const variable = file.variables.find((each) => each.name === name);
    if (variable !== undefined) return { kind: "variable", variable, file };
    if (depth > 16) return null;
    const [head = "", ...path] = name.split(".");
    for (const { names, from } of file.imports) {
      const other = this.byPath.get(from) ?? this.byPath.get(`${from}/index`);
      if (other === undefined) continue;
      const foreign = names.get(head);
      if (foreign === "*") {
        if (path.length === 0) return { kind: "file", file: other };
        return this.resolve(other, path.join("."), depth + 1);
      }
      if (foreign !== undefined) {
        return this.resolve(other, [foreign, ...path].join("."), depth + 1);
      }
      if (names.get("*") === "*") {
        const found = this.resolve(other, name, depth + 1);
        if (found !== null) return found;
      }
    }
    return null;
  }

  classOf(file: FileSyntax, name: string): FoundClass | null {
    const found = this.resolve(file, name);
    return found?.kind === "class" ? found : null;
  }

  methodOf(file: FileSyntax, className: string, name: string): SourceFunction | null {
    for (const found of this.lineOf(file, className)) {
      const method = this.functions.get(idOf(found.file, found.class, name));
      if (method !== undefined) return method;
    }
    return null;
  }

  /** A class and those that it extends. */
  private lineOf(file: FileSyntax, className: string): readonly FoundClass[] {
    const line: FoundClass[] = [];
    let found = this.classOf(file, className);
    while (found !== null && !line.some((each) => each.class === found?.class)) {
      line.push(found);
      const { base } = found.class;
      found = base === null ? null : this.classOf(found.file, base);
    }
    return line;
  }

  /** Methods of other classes that a call of this one may reach. */
  overridesOf({ owner, syntax }: SourceFunction): readonly SourceFunction[] {
    if (owner === null || syntax.name === "constructor") return [];
    return (this.methodsByName.get(syntax.name) ?? []).filter(
      (each) =>
        each.owner !== null &&
        each.owner !== owner &&
        this.lineOf(each.file, each.owner.name).some(
          (above) =>
            above.class === owner ||
            above.class.interfaces.some((name) => this.classOf(above.file, name)?.class === owner),
        ),
    );
  }

  /** Functions that are used as values: whatever is called by a variable's name may be any. */
  get values(): readonly string[] {
    this.valueIds ??= [...this.functions.values()].flatMap((each) => {
      if (each.isSdk) return [];
      const scope = this.scopeOf(each);
      const ids = new Set<string>();
      visitBody(each.syntax.body, (expression) => {
        const value = scope.valueOf(expression);
        if (value !== null) ids.add(value.id);
      });
      // A function outside any other stands in a variable of the file's top level.
      return each.syntax.name.startsWith("function ") ? [each.id, ...ids] : [...ids];
    });
    return this.valueIds;
  }

  scopeOf(of: SourceFunction): Scope {
    let scope = this.scopes.get(of.id);
    if (scope === undefined) {
      scope = new Scope(this, of);
      this.scopes.set(of.id, scope);
    }
    return scope;
  }
}

function idOf(file: FileSyntax, owner: ClassSyntax | null, name: string): string {
  return `${file.path}#${owner === null ? "" : `${owner.name}.`}${name}`;
}

/** The names and types inside one function. */
export class Scope {
  readonly function: SourceFunction;
  readonly variables = new Map<string, Variable>();
  private readonly program: SourceProgram;
  /** Names whose type is being asked: blocks may name variables after each other in a circle. */
  private readonly asked = new Set<string>();

  constructor(program: SourceProgram, of: SourceFunction) {
    this.program = program;
    this.function = of;
    for (const variable of declaredIn(of.syntax.body)) this.variables.set(variable.name, variable);
  }

  /** Position of a parameter, −1 when the name is none. */
  parameter(name: string): number {
    return this.function.syntax.parameters.findIndex((each) => each.name === name);
  }

  /** Whether the name is one of this function's own. */
  isLocal(name: string): boolean {
    return this.variables.has(name) || this.parameter(name) >= 0;
  }

  /** A variable of the file's top level. */
  global(name: string): Variable | null {
    if (this.isLocal(name)) return null;
    const found = this.find(name);
    return found?.kind === "variable" ? found.variable : null;
  }

  /** What a name that is no local one means here: inside a namespace, its own names come first. */
  private find(name: string): Found | null {
    const { file, owner, syntax } = this.function;
    const spaces = (owner ?? syntax).name.split(".").slice(0, -1);
    for (; spaces.length > 0; spaces.pop()) {
      const found = this.program.resolve(file, [...spaces, name].join("."));
      if (found !== null) return found;
    }
    return this.program.resolve(file, name);
  }

  /** The function that an expression is, when it stands where a value does. */
  valueOf(expression: Expression): SourceFunction | null {
    if (expression.type === "function") {
      const { name } = expression.function;
      return this.program.functions.get(idOf(this.function.file, null, name)) ?? null;
    }
    if (expression.type !== "name" || this.isLocal(expression.name)) return null;
    const found = this.find(expression.name);
    return found?.kind === "function" ? found.function : null;
  }

  /** Whether a call names no function, but a variable or field that holds one. */
  isIndirect({ callee }: Extract<Expression, { type: "call" }>): boolean {
    if (callee.type === "name")
      return this.isLocal(callee.name) || this.global(callee.name) !== null;
    if (callee.type !== "member") return true;
    const owner = this.typeOf(callee.object)?.name;
    return owner !== undefined && this.find(owner)?.kind === "class";
  }

  /** The type of an expression as far as names and declarations say it. */
  typeOf(expression: Expression): TypeName | null {
    switch (expression.type) {
      case "name":
        return this.typeOfName(expression.name);
      case "cast":
        return expression.target ?? notNull(this.typeOf(expression.operand));
      case "new":
        return simple(expression.className);
      case "index":
        return this.typeOf(expression.object)?.element ?? null;
      case "member":
        return this.typeOfMember(expression.object, expression.property);
      case "call": {
        const { callee, builtin } = this.resolveCall(expression);
        if (callee !== null) return callee.syntax.returnType;
        if (builtin === "load") return expression.typeArguments[0] ?? null;
        // A call of a type's name converts.
        return builtin === null ? null : simple(builtin);
      }
      case "binary":
        return this.typeOfBinary(expression);
      case "unary":
        return this.typeOf(expression.operand);
      case "choice":
        return this.typeOf(expression.whenTrue) ?? this.typeOf(expression.whenFalse);
      default:
        return null;
    }
  }

  private typeOfBinary(of: Extract<Expression, { type: "binary" }>): TypeName | null {
    if (/^(?:[<>]=?|[=!]==?|&&|\|\|)$/.test(of.operator)) return simple("bool");
    const left = this.typeOf(of.left);
    return left?.name === "u64" || left?.name === "i64" ? left : (this.typeOf(of.right) ?? left);
  }

  private typeOfName(name: string): TypeName | null {
    if (name === "this") {
      const { owner } = this.function;
      return owner === null ? null : simple(owner.name);
    }
    if (name === "super") {
      const base = this.function.owner?.base ?? null;
      return base === null ? null : simple(base);
    }
    const parameter = this.function.syntax.parameters[this.parameter(name)];
    if (parameter !== undefined) return parameter.declaredType;
    const variable = this.variables.get(name) ?? this.global(name);
    if (variable === null || variable === undefined) return null;
    if (variable.declaredType !== null) return variable.declaredType;
    if (variable.initializer === null || this.asked.has(name)) return null;
    this.asked.add(name);
    const type = this.typeOf(variable.initializer);
    this.asked.delete(name);
    return type;
  }

  private typeOfMember(object: Expression, property: string): TypeName | null {
    const owner = this.typeOf(object);
    const found = owner === null ? null : this.program.classOf(this.function.file, owner.name);
    if (found === null) return null;
    const field = found.class.fields.find(({ name }) => name === property);
    if (field !== undefined) {
      return field.declaredType ?? (field.initializer && this.typeOf(field.initializer));
    }
    const maker = found.class.methods.find(({ name }) => name === "constructor");
    const parameter = maker?.parameters.find(({ name }) => name === property);
    const getter = found.class.methods.find(({ name }) => name === property);
    return parameter?.declaredType ?? getter?.returnType ?? null;
  }

  /** Whom a call or a `new` reaches. */
  resolveCall(of: Extract<Expression, { type: "call" | "new" }>): ResolvedCall {
    const { args } = of;
    const { file } = this.function;
    if (of.type === "new") {
      const callee = this.program.methodOf(file, of.className, "constructor");
      return { callee, receiver: null, args, builtin: null };
    }
    const { callee } = of;
    if (callee.type === "name") {
      const base = this.function.owner?.base ?? null;
      if (callee.name === "super" && base !== null) {
        const above = this.program.methodOf(file, base, "constructor");
        return { callee: above, receiver: null, args, builtin: null };
      }
      const found = this.isLocal(callee.name) ? null : this.find(callee.name);
      if (found?.kind === "function") {
        return { callee: found.function, receiver: null, args, builtin: null };
      }
      return { callee: null, receiver: null, args, builtin: callee.name };
    }
    if (callee.type !== "member") return { callee: null, receiver: null, args, builtin: null };
    return this.resolveMember(callee.object, callee.property, args);
  }

  private resolveMember(
    object: Expression,
    property: string,
    args: readonly Expression[],
  ): ResolvedCall {
    const { file } = this.function;
    const path = spaceOf(object);
    const inSpace = path === null ? null : this.find(`${path}.${property}`);
    if (inSpace?.kind === "function" && !this.isLocal(path?.split(".")[0] ?? "")) {
      return { callee: inSpace.function, receiver: null, args, builtin: null };
    }
    if (object.type === "name" && !this.isLocal(object.name)) {
      const found = this.find(object.name);
      if (found?.kind === "file") {
        const inside = this.program.resolve(found.file, property);
        const callee = inside?.kind === "function" ? inside.function : null;
        return { callee, receiver: null, args, builtin: null };
      }
      if (found?.kind === "class") {
        const callee = this.program.methodOf(file, object.name, property);
        return { callee, receiver: null, args, builtin: null };
      }
      if (found === null && object.name !== "this" && object.name !== "super") {
        return { callee: null, receiver: null, args, builtin: `${object.name}.${property}` };
      }
    }
    const type = this.typeOf(object);
    const callee = type === null ? null : this.program.methodOf(file, type.name, property);
    return { callee, receiver: object, args, builtin: callee === null ? property : null };
  }
}

/** `a.b` of names alone, as namespaces are named. */
function spaceOf(expression: Expression): string | null {
  if (expression.type === "name") return expression.name;
  if (expression.type !== "member") return null;
  const outer = spaceOf(expression.object);
  return outer === null ? null : `${outer}.${expression.property}`;
}

function simple(name: string): TypeName {
  return { name, isNullable: false, element: null };
}

function notNull(type: TypeName | null): TypeName | null {
  return type === null ? null : { ...type, isNullable: false };
}

/** Every variable that a body declares, at any depth. */
function declaredIn(body: Statement | null): readonly Variable[] {
  const found: Variable[] = [];
  visitStatements(body, (statement) => {
    if (statement.type === "variables") found.push(...statement.variables);
  });
  return found;
}
