/** Parts of a CustomResourceDefinition as Go's %#v prints them, which shows in some of Kubernetes' error texts. */
import { type Members, textAt, type Version } from '#kube/structural/crd/definition.ts';
import type { ValidationRule } from '#kube/structural/json-schema.ts';

/** Where Go prints the address of a value, which no client can know. */
const ADDRESS = '0xc000000000';

const quoted = (text: string) => JSON.stringify(text);

function pointer(type: string, value: unknown): string {
  return `(*${type})(${value === undefined ? 'nil' : ADDRESS})`;
}

function slice(type: string, elements: readonly string[]): string {
  return elements.length === 0 ? `[]${type}(nil)` : `[]${type}{${elements.join(', ')}}`;
}

export function printTexts(texts: readonly string[]): string {
  return slice('string', texts.map(quoted));
}

export function printVersions(versions: readonly Version[]): string {
  return `[]apiextensions.CustomResourceDefinitionVersion{${versions.map(printVersion).join(', ')}}`;
}

function printVersion(version: Version): string {
  const members = [
    `Name:${quoted(version.name)}`,
    `Served:${version.served}`,
    `Storage:${version.storage}`,
    `Deprecated:${version.deprecated}`,
    `DeprecationWarning:${pointer('string', version.deprecationWarning)}`,
    `Schema:${pointer('apiextensions.CustomResourceValidation', version.schema)}`,
    `Subresources:${pointer('apiextensions.CustomResourceSubresources', version.subresources)}`,
    `AdditionalPrinterColumns:${slice('apiextensions.CustomResourceColumnDefinition', version.columns.map(printColumn))}`,
    `SelectableFields:${slice('apiextensions.SelectableField', version.selectableFields.map(printSelectableField))}`,
  ];
  return `apiextensions.CustomResourceDefinitionVersion{${members.join(', ')}}`;
}

function printColumn(column: Members): string {
  const text = (name: string) => quoted(textAt(column, name));
  const priority = typeof column['priority'] === 'number' ? column['priority'] : 0;
  const type = `Name:${text('name')}, Type:${text('type')}, Format:${text('format')}`;
  const rest = `Description:${text('description')}, Priority:${priority}, JSONPath:${text('jsonPath')}`;
  return `apiextensions.CustomResourceColumnDefinition{${type}, ${rest}}`;
}

function printSelectableField(field: Members): string {
  return `apiextensions.SelectableField{JSONPath:${quoted(textAt(field, 'jsonPath'))}}`;
}

export function printRule(rule: ValidationRule): string {
  const members = [
    `Rule:${quoted(rule.rule)}`,
    `Message:${quoted(rule.message)}`,
    `MessageExpression:${quoted(rule.messageExpression)}`,
    `Reason:${pointer('apiextensions.FieldValueErrorReason', rule.reason)}`,
    `FieldPath:${quoted(rule.fieldPath)}`,
    `OptionalOldSelf:${pointer('bool', rule.optionalOldSelf)}`,
  ];
  return `apiextensions.ValidationRule{${members.join(', ')}}`;
}
