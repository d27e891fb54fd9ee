import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { folderFor } from './mariadb.js';
import type { Namespace } from './netns.js';

export const TOMCAT_JARS = [
  'tomcat10-annotations-api',
  'tomcat10-api',
  'tomcat10-catalina',
  'tomcat10-coyote',
  'tomcat10-el-api',
  'tomcat10-jasper',
  'tomcat10-jaspic-api',
  'tomcat10-jni',
  'tomcat10-juli',
  'tomcat10-servlet-api',
  'tomcat10-util',
  'tomcat10-util-scan',
].map((name) => `/usr/share/java/${name}.jar`);

export interface TomcatLimits {
  readonly maxThreads: number;
  readonly maxConnections: number;
  readonly acceptCount: number;
}

/** Tomcat itself with these limits, on 127.0.0.1:8080 of the namespace; `/?5000` takes 5 s. Gives its pid. */
export async function startTomcat(namespace: Namespace, limits: TomcatLimits): Promise<number> {
  const folder = folderFor(namespace, 'tomcat');
  const source = fileURLToPath(new URL('programs/SmallTomcat.java', import.meta.url));
  execFileSync('javac', ['-cp', TOMCAT_JARS.join(':'), '-d', folder, source], { stdio: 'pipe' });
  const { maxThreads, maxConnections, acceptCount } = limits;
  const numbers = [8080, maxThreads, maxConnections, acceptCount].map(String);
  const child = namespace.spawn(
    'java',
    ['-Xmx128m', '-cp', [folder, ...TOMCAT_JARS].join(':'), 'SmallTomcat', folder, ...numbers],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  if (child.stdout !== null) await once(child.stdout, 'data', { signal: AbortSignal.timeout(60_000) });
  return child.pid ?? 0;
}
