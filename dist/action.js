var major = Number(process.versions.node.split(".")[0]);
if (major >= 24) {
  import("./conveyor-action.js");
} else {
  console.log(
    "::error title=Plan Conveyor::expected Node 24 or newer, found " +
      process.versions.node +
      ": use a runner that has it",
  );
  process.exitCode = 1;
}
