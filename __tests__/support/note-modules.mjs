// Loaded before the command line: tells, at its end, which modules of Node for HTTP were loaded.
process.on("exit", () => {
  const loaded = process.moduleLoadList.filter((name) =>
    /^NativeModule (http|https|internal\/deps\/undici)/.test(name),
  );
  process.stderr.write(`loaded: ${JSON.stringify(loaded)}\n`);
});
