type Facts = Record<string, unknown>;

/** One JSON object a line. Facts are ids, counts and codes; never a token, a password, or what somebody wrote. */
function line(level: "info" | "warn" | "error", what: string, facts: Facts): void {
  const told = Object.fromEntries(
    Object.entries(facts).map(([k, v]) => [k, v instanceof Error ? `${v.name}: ${v.message}` : v]),
  );
  console[level](JSON.stringify({ level, what, ...told }));
}

export const log = {
  info: (what: string, facts: Facts = {}) => line("info", what, facts),
  warn: (what: string, facts: Facts = {}) => line("warn", what, facts),
  error: (what: string, facts: Facts = {}) => line("error", what, facts),
};
