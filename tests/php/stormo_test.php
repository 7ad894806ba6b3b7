<?php
// stormo_test.php path/to/stormo: tests of clients/php/Stormo.php with a real server and its clients.
error_reporting(E_ALL);
set_error_handler(function ($level, $message, $file, $line) {
    if (error_reporting() & $level) throw new ErrorException($message, 0, $level, $file, $line);
});
require __DIR__ . '/../../clients/php/Stormo.php';
require __DIR__ . '/harness.php';

same('usage', thrownBy(function () { Stormo::getAllClientCount(); })->error, 'before connect()');
contains('useTokenSecretFile', thrownBy(function () { Stormo::token('ada'); })->getMessage());

$server = new Server($argv[1]);
Stormo::connect($server->api(), $server->key);
Stormo::useTokenSecretFile($server->secretFile);

$tokenOf = function (string $user): string {
    return Stormo::token($user, ['chat', '123'], ['chat' => 'send', 'room.*' => ['join', 'send'], '123' => 'all'],
        600, ['info' => ['name' => ucfirst($user)]]);
};
$ada = new Client($server->port, $tokenOf('ada'));
$bob = new Client($server->port, $tokenOf('bob'));
$all = [$ada, $bob];
$receive = function (array $clients, string $text, string $what) {
    foreach ($clients as $client) same(['text', $text], $client->receive(), $what);
};
await(function () { return Stormo::getClientCountByGroup('123') === 2; }, 'both are members by their tokens');
$adaId = Stormo::getClientIdByUid('ada')[0];
$bobId = Stormo::getClientIdByUid('bob')[0];

$tests = [
    'a token allows what it states' => function () use ($ada, $all, $receive) {
        $ada->send(['cmd' => 'send_to_group', 'group_id' => 'chat', 'message' => 'hi']);
        $receive($all, 'hi', 'a message of a client');
        $ada->send(['cmd' => 'add_group', 'group_id' => 'secret']);
        contains('"forbidden"', $ada->receive()[1]);
        contains("'chat' is no right", thrownBy(function () { Stormo::token('ada', [], ['chat']); })->getMessage());
    },
    'messages reach groups, users, clients and everybody' => function () use ($ada, $bob, $all, $receive, $adaId) {
        $first = Stormo::sendToGroup('chat', 'Straße "1" \\ /');
        $receive($all, 'Straße "1" \\ /', 'a group');
        same(16, strlen($first['epoch']), 'the epoch');
        $second = Stormo::sendToGroup(123, ['n' => 1.5, 'list' => []]);
        $receive($all, '{"n":1.5,"list":[]}', 'a group with a number as its name');
        same(true, $second['offset'] > $first['offset'], 'offsets increase');
        same(2, count(Stormo::sendToGroup(['chat', 123], 'both')['results']), 'results of two groups');
        $receive([$ada, $ada, $bob, $bob], 'both', 'two groups');
        Stormo::sendToUid('ada', 'for ada');
        Stormo::sendToUid(['ada', 'bob'], 'for both');
        $receive([$ada], 'for ada', 'a user');
        $receive($all, 'for both', 'two users');
        Stormo::sendToClient($adaId, 'for a client');
        $receive([$ada], 'for a client', 'a client');
        Stormo::sendToAll('for all');
        $receive($all, 'for all', 'everybody');
        Stormo::sendToAll('for one', [$adaId]);
        $receive([$ada], 'for one', 'everybody of a list');
        Stormo::sendToPattern('ch*', 'pattern');
        $receive($all, 'pattern', 'a pattern');
        Stormo::sendToGroup('chat', new Stormo\Binary("\xff\x00"));
        foreach ($all as $client) same(['binary', "\xff\x00"], $client->receive(), 'bytes');
        $error = thrownBy(function () { Stormo::sendToGroup('chat', "\xff"); });
        contains('Stormo\Binary', $error->getMessage());
    },
    'excluded clients and users receive nothing' => function () use ($ada, $bob, $all, $receive, $adaId) {
        Stormo::sendToGroup('chat', '1', $adaId);
        Stormo::sendToGroup('chat', '2', [$adaId]);
        Stormo::sendToAll('3', null, ['user' => 'ada']);
        Stormo::sendToGroup('chat', 'end', ['user' => ['x', 'y'], 'client' => []]);
        foreach (['1', '2', '3'] as $text) $receive([$bob], $text, 'the other');
        $receive($all, 'end', 'the excluded one receives only the last');
    },
    'clients join and leave' => function () use ($ada, $bob, $all, $receive, $adaId) {
        Stormo::joinGroup($adaId, 'kept.x');
        Stormo::joinGroupByUid('bob', 'kept.x');
        Stormo::sendToGroup('kept.x', 'joined');
        $receive($all, 'joined', 'both joined');
        Stormo::leaveGroup($adaId, 'kept.x');
        Stormo::sendToGroup('kept.x', 'left');
        $receive([$bob], 'left', 'one left');
        Stormo::leaveGroupByUid('bob', 'kept.x');
        Stormo::joinGroup($adaId, 'kept.y');
        Stormo::ungroup('kept.y');
        Stormo::sendToGroup('kept.x', 'nobody');
        Stormo::sendToGroup('kept.y', 'nobody');
        Stormo::sendToAll('end');
        $receive($all, 'end', 'nobody was a member');
        same(0, Stormo::getClientCountByGroup('kept.y'), 'a group without members');
    },
    'a batch takes effect in its order, or not at all' => function () use ($ada, $bob, $all, $receive) {
        $results = Stormo::batch(function () {
            same(null, Stormo::joinGroupByUid('ada', 'kept.b'), 'in a batch');
            Stormo::sendToGroup('kept.b', 'in b');
            Stormo::sendToUid(['ada', 'bob'], 'in the batch');
        });
        same(4, count($results), 'results');
        // The missed messages of a group that was just joined may come after others.
        $texts = [$ada->receive()[1], $ada->receive()[1]];
        sort($texts);
        same(['in b', 'in the batch'], $texts, 'the member');
        $receive([$bob], 'in the batch', 'users');
        same(2, count(Stormo::batch([['cmd' => 'publish', 'group' => 'kept.b', 'message' => 'list'],
            ['cmd' => 'leave', 'user' => 'ada', 'group' => 'kept.b']])), 'a list of commands');
        $receive([$ada], 'list', 'a list of commands');
        $error = thrownBy(function () {
            Stormo::batch(function () {
                Stormo::sendToAll('never');
                Stormo::sendToGroup('', 'nameless');
            });
        });
        same(['invalid_field', 400, 'commands[1].group'], [$error->error, $error->getCode(), $error->field], 'error');
        same(2001, count(Stormo::batch(function () {
            for ($i = 0; $i < 2000; ++$i) Stormo::sendToGroup('empty', (string) $i);
            Stormo::sendToAll('end');
        })), 'more than one request');
        $receive($all, 'end', 'nothing of the wrong batch');
    },
    'questions' => function () use ($adaId, $bobId) {
        $ids = [$adaId => $adaId, $bobId => $bobId];
        ksort($ids);
        $users = ['ada' => 'ada', 'bob' => 'bob'];
        $sorted = function (array $map) { ksort($map); return $map; };
        same([1, 0, 1, 0], [Stormo::isUidOnline('ada'), Stormo::isUidOnline('eve'), Stormo::isOnline($adaId),
            Stormo::isOnline('nobody')], 'who is online');
        same(['ada', null], [Stormo::getUidByClientId($adaId), Stormo::getUidByClientId('nobody')], 'the user');
        same([2, 2, 2, 0], [Stormo::getAllClientCount(), Stormo::getAllClientIdCount(),
            Stormo::getClientIdCountByGroup('chat'), Stormo::getClientCountByGroup('none')], 'counts');
        same($ids, $sorted(Stormo::getAllClientIdList()), 'all clients');
        same($ids, $sorted(Stormo::getClientIdListByGroup(['chat', '123'])), 'members');
        same($users, $sorted(Stormo::getUidListByGroup('chat')), 'users of a group');
        same($users, Stormo::getAllUidList(), 'users');
        same([2, 2], [Stormo::getUidCountByGroup('chat'), Stormo::getAllUidCount()], 'counts of users');
        same([123 => '123', 'chat' => 'chat'], Stormo::getAllGroupIdList(), 'groups');
        same([123 => 2, 'chat' => 2], Stormo::getAllGroupClientIdCount(), 'members of groups');
        same($ids, $sorted(Stormo::getAllGroupClientIdList()['chat']), 'members of all groups');
        same($users, $sorted(Stormo::getAllGroupUidList()['chat']), 'users of all groups');
        same([123 => 2, 'chat' => 2], $sorted(Stormo::getAllGroupUidCount()), 'users of all groups, counted');
        same(true, Stormo::isComplete(), 'both workers replied');
    },
    'sessions' => function () use ($adaId) {
        same(['name' => 'Ada'], Stormo::getSession($adaId), 'the info of the token');
        Stormo::setSession($adaId, ['a' => 1, 'b' => 2]);
        await(function () use ($adaId) { return Stormo::getSession($adaId) === ['a' => 1, 'b' => 2]; }, 'set');
        Stormo::updateSession($adaId, ['b' => 3]);
        await(function () use ($adaId) { return Stormo::getSession($adaId)['b'] === 3; }, 'updated');
        same(1, Stormo::getClientSessionsByGroup('chat')[$adaId]['a'], 'kept');
        same(2, count(Stormo::getAllClientSessions()), 'of all');
        Stormo::setSession($adaId, []);
        await(function () use ($adaId) { return Stormo::getSession($adaId) === []; }, 'emptied');
        same(null, Stormo::getSession('nobody'), 'no client');
    },
    'a history' => function () {
        $first = Stormo::sendToGroup('kept', 'one');
        Stormo::sendToGroup('kept', 'two');
        same(['one', 'two'], array_column(Stormo::history('kept')['messages'], 'message'), 'all');
        same(['two'], array_column(Stormo::history('kept', $first['offset'])['messages'], 'message'), 'after');
    },
    'mistakes' => function () use ($server) {
        contains('make it with token()', thrownBy(function () { Stormo::bindUid('x', 'y'); })->getMessage());
        contains('no Stormo::fly()', thrownBy(function () { Stormo::fly(); })->getMessage());
        contains("'x'", thrownBy(function () { Stormo::connect('x', 'key'); })->getMessage());
        contains('unknown option', thrownBy(function () { Stormo::connect('http://x', 'y', ['z' => 1]); })->getMessage());
        Stormo::connect($server->api(), 'nonsense');
        $error = thrownBy(function () { Stormo::sendToAll('x'); });
        same(['unauthorized', 401], [$error->error, $error->getCode()], 'a wrong key');
        Stormo::connect("http://127.0.0.1:$server->port", $server->key);
        contains('not as the API does', thrownBy(function () { Stormo::sendToAll('x'); })->getMessage());
        Stormo::connect($server->api(), $server->key);
    },
    'a message is delivered once, though answers are lost' => function () use ($server, $all, $receive) {
        $proxy = new BreakingProxy($server->apiPort, 2);
        Stormo::connect("http://127.0.0.1:$proxy->port", $server->key);
        same(true, Stormo::sendToAll('once')['duplicate'] ?? false, 'the server had it');
        Stormo::sendToAll('end');
        Stormo::connect($server->api(), $server->key);
        same(2, $proxy->end(), 'broken connections');
        $receive($all, 'once', 'once');
        $receive($all, 'end', 'nothing twice');
    },
    'a unix socket' => function () use ($server, $all, $receive) {
        Stormo::connect("unix://$server->folder/api.sock", $server->key);
        if (extension_loaded('curl')) {
            Stormo::sendToAll('by a socket');
            $receive($all, 'by a socket', 'by a socket');
        } else {
            contains('php-curl', thrownBy(function () { Stormo::sendToAll('x'); })->getMessage());
        }
        Stormo::connect($server->api(), $server->key);
    },
    'clients are closed, and tokens revoked' => function () use ($server, $ada, $bob, $adaId, $tokenOf) {
        Stormo::closeClient($adaId, 'bye', 4000, 'test');
        same([['text', 'bye'], ['close', 4000]], [$ada->receive(), $ada->receive()], 'closed with a message');
        Stormo::closeUid('bob');
        same(['close', 1008], $bob->receive(), 'closed without one');
        $eve = new Client($server->port, $tokenOf('eve'));
        await(function () { return Stormo::isUidOnline('eve') === 1; }, 'eve is there');
        Stormo::revoke('eve');
        same(['close', 4401], $eve->receive(), 'revoked');
    },
    'every function of the page on GatewayWorker exists' => function () {
        $page = file_get_contents(__DIR__ . '/../../docs/migrate-gatewayworker.md');
        preg_match_all('~Stormo::(\w+)\(~', $page, $names);
        foreach (array_unique($names[1]) as $name) {
            if (method_exists('Stormo', $name)) continue;
            try {
                call_user_func(['Stormo', $name], 'x');
            } catch (Stormo\Exception $e) {
                if ($e->error === 'usage') throw $e;  // there is none
            }
        }
        same(true, count($names[1]) > 30, 'names were found');
    },
    'a server that has stopped is an exception' => function () use ($server) {
        Stormo::connect($server->api(), $server->key, ['attempts' => 2]);
        same(0, Stormo::isUidOnline('nobody'), 'the connection is open');
        $server->stop();
        $error = thrownBy(function () { Stormo::sendToAll('x'); });
        same(['unreachable', 0], [$error->error, $error->getCode()], 'a stopped server');
        contains($server->api(), $error->getMessage());
    },
];
foreach ($tests as $name => $test) {
    try {
        $test();
    } catch (Throwable $e) {
        echo "failed: $name: {$e->getMessage()}\n{$e->getTraceAsString()}\n";
        exit(1);
    }
    echo "ok: $name\n";
}
echo count($tests), ' tests passed ', extension_loaded('curl') ? 'with' : 'without', " php-curl\n";
