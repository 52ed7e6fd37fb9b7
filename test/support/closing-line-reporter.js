/** Ends a run with one line that any CI can read: `N passed, N failed`. */
module.exports = class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // At the very end: Jest writes its own summary, and stops the services, after this.
    process.once('exit', () => process.stderr.write(`\n${results.numPassedTests} passed, ${failed} failed\n`));
  }
};
