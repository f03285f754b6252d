/**
 * Imported before all else: as long as the SDK parses by schema, zod would try at its start whether it may make a function of a text, and the
 * page's policy would note it as an attack. [AP-1]
 */
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
