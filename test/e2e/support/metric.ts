/** Value of a metric at a node, the sum over the samples whose labels include `labels`. */
export async function readMetric(
  url: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(url)).text();
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!(line.startsWith(`${name} `) || line.startsWith(`${name}{`))) continue;
    const fits = Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`));
    if (fits) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}
