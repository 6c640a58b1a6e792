// MySQL as its clients see it: the shell's mysql and mysqladmin, from its own container and from another, on a fake clock.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { testNode } from '../../node/test-node.ts';

const IMAGE = 'gcr.io/ml-pipeline/mysql:8.0.26';

async function server(t: TestContext, env: Record<string, string> = { MYSQL_ALLOW_EMPTY_PASSWORD: 'true' }) {
  const node = await testNode(t);
  const start = (name: string) =>
    node.run(name, {
      containers: [
        { name: 'c', image: IMAGE, env: Object.entries(env).map(([k, value]) => ({ name: k, value })) },
      ],
    });
  await start('db');
  await node.pass(9_000);
  const sql = (statement: string, ...more: string[]) => node.exec('db', ['mysql', ...more, '-e', statement]);
  return { ...node, start, sql };
}

const plain = (out: string) => ({ code: 0, out, err: '' });
const refused = (err: string) => ({ code: 1, out: '', err });

describe('mysql', () => {
  it('shows, makes and drops databases in plain rows', async t => {
    const { sql } = await server(t);
    const own = 'information_schema\nmysql\nperformance_schema\nsys\n';
    assert.deepEqual(await sql('show databases'), plain(`Database\n${own}`));
    assert.deepEqual(
      await sql('CREATE DATABASE metadb; SHOW DATABASES;'),
      plain(`Database\n${own.replace('mysql', 'metadb\nmysql')}`),
    );
    assert.deepEqual(
      await sql('create database metadb'),
      refused("ERROR 1007 (HY000) at line 1: Can't create database 'metadb'; database exists\n"),
    );
    assert.deepEqual(await sql('drop database metadb; show databases'), plain(`Database\n${own}`));
    assert.deepEqual(
      await sql('use metadb'),
      refused("ERROR 1049 (42000) at line 1: Unknown database 'metadb'\n"),
    );
  });

  it('keeps rows of tables', async t => {
    const { sql } = await server(t, { MYSQL_ALLOW_EMPTY_PASSWORD: 'yes', MYSQL_DATABASE: 'test' });
    await sql(
      "create table messages (id int, message varchar(250)); insert into messages values (1, 'hello'), (2, null)",
      'test',
    );
    assert.deepEqual(await sql('select * from test.messages'), plain('id\tmessage\n1\thello\n2\tNULL\n'));
    await sql("update messages set message = 'it''s', id = 3 where id = 2", 'test');
    assert.deepEqual(await sql('select * from test.messages'), plain("id\tmessage\n1\thello\n3\tit's\n"));
    assert.deepEqual(await sql('show tables', 'test'), plain('Tables_in_test\nmessages\n'));
    assert.deepEqual(
      await sql("select count(*) from messages where message = 'hello'", 'test'),
      plain('count(*)\n1\n'),
    );
    assert.deepEqual(
      await sql('select * from nothing', 'test'),
      refused("ERROR 1146 (42S02) at line 1: Table 'test.nothing' doesn't exist\n"),
    );
  });

  it('answers what it is asked about itself and refuses the rest in its own words', async t => {
    const { sql } = await server(t);
    assert.deepEqual(await sql('SELECT 1'), plain('1\n1\n'));
    assert.deepEqual(
      await sql('select version(), user()'),
      plain('version()\tuser()\n8.0.26\troot@localhost\n'),
    );
    assert.match(
      (await sql('selec 1')).err,
      /^ERROR 1064 \(42000\) at line 1: You have an error in your SQL syntax; .* near 'selec 1' at line 1\n$/,
    );
    assert.deepEqual(
      await sql('ALTER TABLE x ADD y int'),
      refused("ERROR 1235 (42000) at line 1: This version of MySQL doesn't yet support 'ALTER TABLE'\n"),
    );
    assert.deepEqual(
      await sql('show tables'),
      refused('ERROR 1046 (3D000) at line 1: No database selected\n'),
    );
  });

  it('asks for the password that it was first started with', async t => {
    const { sql, exec } = await server(t, { MYSQL_ROOT_PASSWORD: 'secret' });
    assert.deepEqual(
      await sql('select 1'),
      refused("ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n"),
    );
    const warning = 'mysql: [Warning] Using a password on the command line interface can be insecure.\n';
    assert.deepEqual(await sql('select 1', '-uroot', '-psecret'), { code: 0, out: '1\n1\n', err: warning });
    const ping = await exec('db', ['mysqladmin', 'ping']);
    assert.equal(ping.code, 0);
    assert.match(ping.err, /^mysqladmin: connect to server at 'localhost' failed\nerror: 'Access denied/);
  });

  it('is not alive before it listens', async t => {
    const { start, pass, exec } = await server(t);
    await start('late');
    await pass(3_000);
    assert.deepEqual(
      await exec('late', ['mysql', '-e', 'select 1']),
      refused(
        "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)\n",
      ),
    );
    assert.equal((await exec('late', ['mysqladmin', 'ping'])).code, 1);
    assert.deepEqual(await exec('db', ['mysqladmin', 'ping']), plain('mysqld is alive\n'));
    assert.match(
      (await exec('db', ['mysqladmin', 'status'])).out,
      /^Uptime: \d+ {2}Threads: 2 {2}Questions: 0 /,
    );
  });

  it('is reached from another pod by its address', async t => {
    const { pod, start, pass, exec } = await server(t);
    await start('other');
    await pass(9_000);
    const { podIP } = (await pod('db')).status;
    const asked = await exec('other', ['mysql', '-h', podIP, '-e', 'select user()']);
    assert.equal(asked.out, `user()\nroot@${(await pod('other')).status.podIP}\n`);
    assert.deepEqual(
      await exec('other', ['mysql', '-h', podIP, '-P', '3307', '-e', 'select 1']),
      refused(`ERROR 2003 (HY000): Can't connect to MySQL server on '${podIP}:3307' (111)\n`),
    );
  });

  it('takes statements from a pipe', async t => {
    const { exec } = await server(t);
    assert.deepEqual(await exec('db', ['mysql', '-N'], 'create database a;\nselect\n 2;'), plain('2\n'));
  });

  it('draws tables at its prompt, and ends with Ctrl-D', async t => {
    const { exec } = await server(t);
    const typed = ['select 1;\rselect\r"b";\r', '\x03', 'use mysql\rnope;\r', '\x04'];
    const { code, out } = await exec('db', ['mysql'], typed, { tty: true });
    assert.equal(code, 0);
    const text = out.replaceAll('\r\n', '\n');
    assert.match(
      text,
      /^Welcome to the MySQL monitor\. {2}Commands end with ; or \\g\.\nYour MySQL connection id is 8\n/,
    );
    assert.match(
      text,
      /mysql> select 1;\n\+---\+\n\| 1 \|\n\+---\+\n\| 1 \|\n\+---\+\n1 row in set \(0\.00 sec\)\n\nmysql> select\n {4}-> "b";\n/,
    );
    assert.match(
      text,
      /mysql> \^C\nmysql> use mysql\nDatabase changed\nmysql> nope;\nERROR 1064 \(42000\): .*\nmysql> Bye\n$/,
    );
  });
});
