import assert from 'node:assert/strict';
import { test } from 'node:test';
import { celError, celValue, compile } from './index.ts';

const value = (expression: string, variables: Record<string, unknown> = {}) =>
  compile(expression)(celValue(variables) as Record<string, unknown>);

/** Each is true. */
const LIBRARIES: Record<string, string[]> = {
  strings: [
    "'abc'.charAt(1) == 'b' && 'abc'.charAt(3) == ''",
    "'aXbX'.replace('X', '-') == 'a-b-' && 'aXbX'.replace('X', '-', 1) == 'a-bX'",
    "'abc'.reverse() == 'cba'",
    'strings.quote(\'a"b\') == \'"a\\\\"b"\'',
    "'%d of %s is %.1f'.format([1, 'two', 0.5]) == '1 of two is 0.5'",
    "'%x %X %b %s'.format([255, 255, 5, true]) == 'ff FF 101 true'",
    "'100%%'.format([]) == '100%'",
  ],
  lists: [
    '[1, 2, 3, 2].indexOf(2) == 1 && [1, 2].indexOf(7) == -1',
    '[1, 2, 3, 2].lastIndexOf(2) == 3',
    "['b', 'a'].isSorted() == false && [1, 2, 3].sum() == 6 && [2, 3].min() == 2 && [2, 3].max() == 3",
  ],
  sets: [
    'sets.contains([1, 2, 3], [3, 1]) && !sets.contains([1], [2])',
    'sets.intersects([1, 2], [2, 9]) && !sets.intersects([1], [2])',
    'sets.equivalent([1, 2, 2], [2, 1]) && !sets.equivalent([1], [1, 2])',
  ],
  addresses: [
    "isIP('192.0.2.1') && isIP('::1') && !isIP('192.0.2.256') && !isIP('1.2.3')",
    "ip('192.0.2.1').family() == 4 && ip('2001:db8::1').family() == 6",
    "ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('10.0.0.1').isLoopback()",
    "ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified()",
    "ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast()",
    "ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
    "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1') && !ip.isCanonical('2001:db8:0::1')",
    "ip('192.0.2.1') == ip('192.0.2.1') && string(ip('2001:db8:0:0::1')) == '2001:db8::1'",
    "isCIDR('192.0.2.0/24') && !isCIDR('192.0.2.0/33') && !isCIDR('192.0.2.0')",
    "cidr('192.0.2.0/24').containsIP('192.0.2.9') && !cidr('192.0.2.0/24').containsIP(ip('192.0.3.9'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
    "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').prefixLength() == 8",
    "cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
  ],
  urls: [
    "isURL('https://example.com/a') && url('https://example.com:8443/a?b=c&b=d').getQuery()['b'] == ['c', 'd']",
    "url('https://example.com:8443/a').getHostname() == 'example.com' && url('https://example.com:8443/a').getPort() == '8443'",
  ],
  quantities: [
    "quantity('1.5').asApproximateFloat() == 1.5 && quantity('1Ki').asInteger() == 1024",
    "quantity('1').isLessThan(quantity('2')) && quantity('1').add(1) == quantity('2') && quantity('3').sub(1) == quantity('2')",
  ],
  versions: [
    "isSemver('1.2.3') && !isSemver('1.2') && !isSemver('v1.2.3') && isSemver('v1.2', true)",
    "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
    "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1'))",
    "semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta')) == -1 && semver('1.2.3') == semver('1.2.3')",
  ],
  formats: [
    "!format.dns1123Label().validate('good-name').hasValue()",
    "format.dns1123Label().validate('Bad').hasValue() && format.dns1123Subdomain().validate('a_b').hasValue()",
    "format.qualifiedName().validate('a b').hasValue() && format.labelValue().validate('-').hasValue()",
    "!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && format.uuid().validate('x').hasValue()",
    "!format.date().validate('2026-02-28').hasValue() && !format.datetime().validate('2026-02-28T00:00:00Z').hasValue()",
    "format.named('dns1123Label').hasValue() && !format.named('nothing').hasValue()",
    "!format.uri().validate('http://example.com/').hasValue() && !format.byte().validate('aGk=').hasValue()",
  ],
};

for (const [name, expressions] of Object.entries(LIBRARIES)) {
  test(`the library of ${name} is there`, () => {
    for (const expression of expressions) assert.equal(value(expression), true, expression);
  });
}

test('no regular expression takes long', () => {
  const begun = performance.now();
  assert.equal(value("text.matches('^(a+)+$')", { text: `${'a'.repeat(60)}!` }), false);
  assert.ok(performance.now() - begun < 2000);
});

test("what cannot be read is an error in upstream's words", () => {
  const error = (expression: string) => {
    try {
      return value(expression);
    } catch (thrown) {
      return celError(thrown);
    }
  };
  assert.equal(
    error("ip('nope')"),
    'IP Address \'nope\' parse error during conversion from string: ParseAddr("nope"): unable to parse IP',
  );
  assert.equal(
    error("cidr('nope')"),
    'network address parse error during conversion from string: netip.ParsePrefix("nope"): no \'/\'',
  );
  assert.match(String(error("semver('1.2')")), /No Major\.Minor\.Patch elements found/);
  assert.match(String(error("'abc'.charAt(9)")), /index out of range: 9/);
});
