import { z } from "zod";
import { ContractToolsError } from "../errors.ts";
import type { Place } from "../scan/source/syntax.ts";

/** Finds the source of a module's bytes. */
export interface SourceMap {
  /** The place that the instruction at an offset was made from, null where none is known. */
  readonly placeOf: (offset: number) => Place | null;
  /**
   * The nearest place at or before an offset, not before `from`, that is wanted: code that the compiler
   * put in the place of a call names only the called function's lines.
   */
  readonly placeBefore: (
    offset: number,
    from: number,
    isWanted: (place: Place) => boolean,
  ) => Place | null;
}

const mapSchema = z.object({
  version: z.literal(3),
  sources: z.array(z.string()),
  mappings: z.string(),
});

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

interface Segment {
  readonly offset: number;
  readonly place: Place | null;
}

/**
 * Reads a source map of a module: one line, whose columns are offsets of bytes.
 * @see ECMA-426 Source map format
 * @throws ContractToolsError TOOLS_PROJECT_MALFORMED
 */
export function parseSourceMap(text: string): SourceMap {
  const parsed = mapSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new ContractToolsError("TOOLS_PROJECT_MALFORMED", "source map");
  const { sources, mappings } = parsed.data;
  const segments = readSegments(mappings, sources);
  /** Position of the last segment at or before an offset, −1 without. */
  const indexOf = (offset: number): number => {
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((segments[middle]?.offset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  return {
    placeOf: (offset) => segments[indexOf(offset)]?.place ?? null,
    placeBefore(offset, from, isWanted) {
      for (let index = indexOf(offset); index >= 0; index--) {
        const segment = segments[index];
        if (segment === undefined || segment.offset < from) return null;
        if (segment.place !== null && isWanted(segment.place)) return segment.place;
      }
      return null;
    },
  };
}

function readSegments(mappings: string, sources: readonly string[]): readonly Segment[] {
  const segments: Segment[] = [];
  let [offset, source, line, column] = [0, 0, 0, 0];
  for (const text of mappings.split(/[,;]/)) {
    if (text === "") continue;
    const fields = readNumbers(text);
    offset += fields[0] ?? 0;
    source += fields[1] ?? 0;
    line += fields[2] ?? 0;
    column += fields[3] ?? 0;
    const file = sources[source];
    const isMapped = fields.length >= 4 && file !== undefined;
    segments.push({
      offset,
      place: isMapped ? { file, line: line + 1, column: column + 1 } : null,
    });
  }
  return segments;
}

/** Base64 numbers of variable length; the lowest bit is the sign. */
function readNumbers(text: string): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 1 ? -Math.floor(value / 2) : Math.floor(value / 2));
    value = 0;
    shift = 0;
  }
  return numbers;
}
