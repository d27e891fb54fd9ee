// The chart alone: the index of blessed-contrib takes 90 ms to load and has the only types.
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  const makeLine: (options: Record<string, unknown>) => unknown;
  export default makeLine;
}
