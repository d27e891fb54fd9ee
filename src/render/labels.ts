import {
  type Container,
  containerLabel,
  type Home,
  type Namespace,
  namespaceLabel,
} from '../model/namespace.js';
import type { Names } from './names.js';
import { cleanText } from './text.js';

/** The same with names as the output has them. */
export function redactHome<H extends Home>(home: H, names: Pick<Names, 'label'>): H {
  const { container, pod, unit } = home;
  return {
    ...home,
    ...(container !== undefined && { container: redactContainer(container, names) }),
    ...(pod !== undefined && { pod: names.label('pod', pod) }),
    ...(unit !== undefined && { unit: names.label('unit', unit) }),
  };
}

/** Sentences call a container by its label; the id is one of its names. */
function redactContainer(container: Container, names: Pick<Names, 'label'>): Container {
  const label = names.label('container', containerLabel(container));
  const id = names.label('container', container.id);
  return { ...container, id, ...((container.name !== undefined || id !== label) && { name: label }) };
}

export function redactNamespace(namespace: Namespace, names: Pick<Names, 'label'>): Namespace {
  const { name, containers } = namespace;
  return redactHome(
    {
      ...namespace,
      ...(name !== undefined && { name: names.label('netns', name) }),
      ...(containers && { containers: containers.map((one) => redactContainer(one, names)) }),
    },
    names,
  );
}

/** What people call a namespace. Raw. */
export const namespaceName = (namespace: Namespace, names: Pick<Names, 'label'>): string =>
  namespaceLabel(redactNamespace(namespace, names));

/** The same, cleaned. */
export const namespaceText = (namespace: Namespace, names: Names): string =>
  cleanText(namespaceName(namespace, names));

/** `container web (docker), pod 6f2a..., unit nginx.service`. Cleaned; empty where nothing is known. */
export function homeText(home: Home, names: Names): string {
  const { container, pod, unit } = redactHome(home, names);
  const runtime = container?.runtime === undefined ? '' : ` (${container.runtime})`;
  const parts = [
    ...(container === undefined ? [] : [`container ${containerLabel(container)}${runtime}`]),
    ...(pod === undefined ? [] : [`pod ${pod}`]),
    ...(unit === undefined ? [] : [`unit ${unit}`]),
  ];
  return cleanText(parts.join(', '));
}
