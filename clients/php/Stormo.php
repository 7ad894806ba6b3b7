<?php
// The HTTP API of Stormo for PHP 7.4 and later, in this file alone. docs/api.md describes the API,
// docs/migrate-gatewayworker.md what is the same as in GatewayWorker. MIT licence.

namespace Stormo {

    /** A request that was not carried out, or only in part. getCode() is the HTTP status, or 0. */
    class Exception extends \RuntimeException
    {
        /** @var string 'unauthorized', 'invalid_field', … (docs/api.md), 'unreachable', 'usage' */
        public $error;
        /** @var string The place of a mistake in the request, or ''. */
        public $field;
        /** @var array Of a batch, or of several groups: the result of each, as far as known. */
        public $results;

        public function __construct(
            string $error, string $message, int $status = 0, string $field = '', array $results = []
        ) {
            parent::__construct($message, $status);
            $this->error = $error;
            $this->field = $field;
            $this->results = $results;
        }
    }

    /** A message of bytes, which clients receive as binary: new Stormo\Binary($bytes). */
    final class Binary
    {
        /** @var string */
        public $bytes;

        public function __construct(string $bytes)
        {
            $this->bytes = $bytes;
        }
    }
}

namespace {

    use Stormo\Binary;

    /**
     * Publishes, decides who is in which group, and asks who is there, on all clients of a server:
     *
     *     require 'Stormo.php';
     *     Stormo::connect('http://127.0.0.1:8100', $key);              // or 'unix:///run/api.sock'
     *     Stormo::sendToGroup('news', 'Hello, all!');
     *     Stormo::sendToUid('ada', ['type' => 'mail', 'unread' => 3]);  // as JSON
     *     if (Stormo::isUidOnline('bob')) Stormo::closeUid('bob', 'bye');
     *
     * A message is a string in UTF-8, a Stormo\Binary, or a value that is sent as its JSON text.
     * Ids and names are strings; integers stand for their digits. Commands return when the log of
     * the server has them: ['epoch' => …, 'offset' => …]. All functions throw Stormo\Exception.
     *
     * The connection is kept for the next request. If it breaks, if there is no answer in time, or
     * if the server is not ready, a request is repeated. A repeated message is delivered once.
     *
     * @method static int getAllClientCount()
     * @method static int getAllClientIdCount()
     * @method static int getClientIdCountByGroup($group)
     * @method static array getClientSessionsByGroup($group)
     * @method static array|null destoryClient($client_id)
     */
    final class Stormo
    {
        private const COMMANDS_MAX = 1000;  // of a batch, and groups of a publish
        private const WAITS = [0, 0.1, 0.5, 1, 2];  // seconds before each attempt; then the last
        private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
            | JSON_PRESERVE_ZERO_FRACTION;
        private const ALIASES = [
            'getAllClientCount' => 'getClientCountByGroup',
            'getAllClientIdCount' => 'getClientCountByGroup',
            'getClientIdCountByGroup' => 'getClientCountByGroup',
            'getClientSessionsByGroup' => 'getAllClientSessions',
            'destoryClient' => 'closeClient',
        ];
        private const FROM_TOKENS = 'the user is in the token of the client: make it with token(), '
            . 'and give it to the page';
        private const NO_CURRENT = 'no client is the current one here: name it';
        private const ELSEWHERE = [
            'bindUid' => self::FROM_TOKENS,
            'unbindUid' => self::FROM_TOKENS . '. To end it: revoke()',
            'sendToCurrentClient' => self::NO_CURRENT . ', sendToClient($client_id, …)',
            'closeCurrentClient' => self::NO_CURRENT . ', closeClient($client_id, …)',
            'destoryCurrentClient' => self::NO_CURRENT . ', destoryClient($client_id)',
            'setBusinessWorker' => 'PHP needs no process of its own: call connect()',
        ];

        private static $url = '';
        private static $socket = '';
        private static $key = '';
        private static $options = [];
        private static $curl = null;
        private static $processId = 0;
        private static $queue = null;
        private static $complete = true;
        private static $secret = '';

        /**
         * States the server. Connects with the first request.
         * @param string $url 'http://host:port', 'https://…', or 'unix:///path' (needs php-curl)
         * @param string $key a key of the API; the server makes one for its machine: api.key
         * @param array $options 'timeout' => 12 and 'connectTimeout' => 2 (seconds, of an attempt),
         *     'attempts' => 4, 'caFile' => certificates to trust for https://
         */
        public static function connect(string $url, string $key, array $options = []): void
        {
            $defaults = ['timeout' => 12, 'connectTimeout' => 2, 'attempts' => 4, 'caFile' => ''];
            if ($unknown = array_diff_key($options, $defaults)) {
                throw self::usage('unknown option ' . key($unknown) . ': the options are '
                    . implode(', ', array_keys($defaults)));
            }
            if (!preg_match('~^(https?://[^/]+/?|unix:///.+)$~', $url)) {
                throw self::usage("'$url' is no address as http://127.0.0.1:8100 or unix:///path");
            }
            self::$socket = strpos($url, 'unix://') === 0 ? substr($url, 7) : '';
            self::$url = self::$socket === '' ? rtrim($url, '/') : 'http://localhost';
            self::$key = trim($key);
            self::$options = $options + $defaults;
            self::$curl = null;
        }

        // --- Messages. $exclude: a client id, a list of them, or ['user' => …, 'client' => …] ---

        /** @param string|int|array $group one, or a list */
        public static function sendToGroup($group, $message, $exclude = null): ?array
        {
            if (!is_array($group)) {
                return self::publish(['group' => (string) $group], $message, $exclude);
            }
            $groups = array_values(array_unique(array_map('strval', $group)));
            $all = ['results' => []];
            foreach (array_chunk($groups, self::COMMANDS_MAX) as $some) {
                $answer = self::publish(['groups' => $some], $message, $exclude);
                if ($answer === null) continue;  // in a batch
                $all['results'] = array_merge($all['results'], $answer['results']);
            }
            return self::$queue === null ? $all : null;
        }

        /** To each group that has members and matches, as file names in a shell: 'room.*' */
        public static function sendToPattern(string $pattern, $message, $exclude = null): ?array
        {
            return self::publish(['pattern' => $pattern], $message, $exclude);
        }

        /** To all clients of a user, or of each user of a list. @param string|int|array $uid */
        public static function sendToUid($uid, $message, $exclude = null): ?array
        {
            return self::publishEach('user', $uid, $message, $exclude);
        }

        public static function sendToClient($client_id, $message): ?array
        {
            return self::publish(['client' => (string) $client_id], $message, null);
        }

        /** To everybody, or to each client of a list. */
        public static function sendToAll($message, $client_ids = null, $exclude = null): ?array
        {
            if ($client_ids === null) return self::publish(['all' => true], $message, $exclude);
            return self::publishEach('client', (array) $client_ids, $message, $exclude);
        }

        // --- Clients and groups ---

        /** A message right after it surely reaches the new member if the group has a history. */
        public static function joinGroup($client_id, $group): ?array
        {
            return self::member('join', 'client', $client_id, $group);
        }

        public static function leaveGroup($client_id, $group): ?array
        {
            return self::member('leave', 'client', $client_id, $group);
        }

        /** All clients of a user that are connected become members. */
        public static function joinGroupByUid($uid, $group): ?array
        {
            return self::member('join', 'user', $uid, $group);
        }

        public static function leaveGroupByUid($uid, $group): ?array
        {
            return self::member('leave', 'user', $uid, $group);
        }

        /** All members leave the group. */
        public static function ungroup($group): ?array
        {
            return self::command('leave', ['all' => true, 'group' => (string) $group]);
        }

        /** Closes a client, which receives the message before. It may connect again. */
        public static function closeClient(
            $client_id, $message = null, int $code = 1008, string $reason = ''
        ): ?array {
            return self::close('client', $client_id, $message, $code, $reason);
        }

        /** Closes all clients of a user; a retry also closes one that has just connected again. */
        public static function closeUid(
            $uid, $message = null, int $code = 1008, string $reason = ''
        ): ?array {
            return self::close('user', $uid, $message, $code, $reason);
        }

        /**
         * Tokens of the user that were made until now are not accepted any more, and clients that
         * have shown one are closed. @param int $seconds the longest life of such a token
         */
        public static function revoke($uid, int $seconds = 86400): ?array
        {
            return self::command('revoke', ['user' => (string) $uid, 'issued_before' => time() + 1,
                'for_seconds' => $seconds]);
        }

        /** The session of a client is its `info`: an object of at most 4 KiB as JSON. */
        public static function setSession($client_id, array $session): ?array
        {
            $fields = ['client' => (string) $client_id, 'info' => (object) $session];
            return self::command('info', $fields);
        }

        /** Replaces the members that are given. Two calls at the same time may lose one of both. */
        public static function updateSession($client_id, array $session): ?array
        {
            return self::setSession($client_id, $session + (self::getSession($client_id) ?? []));
        }

        // --- Questions; each is answered for all processes of the server at that moment ---

        /** Null: there is no such client. */
        public static function getSession($client_id): ?array
        {
            $client = self::client($client_id);
            return $client === null ? null : $client['info'] ?? [];
        }

        /** ['id', 'user', 'info', 'address', 'protocol', 'connected_at', 'groups'], or null. */
        public static function client($client_id): ?array
        {
            try {
                return self::ask('/clients/' . rawurlencode((string) $client_id));
            } catch (Stormo\Exception $e) {
                if ($e->error === 'not_found') return null;
                throw $e;
            }
        }

        /** @return int 1 or 0 */
        public static function isOnline($client_id): int
        {
            return self::client($client_id) === null ? 0 : 1;
        }

        /** @return int 1 or 0 */
        public static function isUidOnline($uid): int
        {
            $path = '/users/' . rawurlencode((string) $uid) . '?limit=1';
            return self::ask($path)['clients'] ? 1 : 0;
        }

        /** @return string[] */
        public static function getClientIdByUid($uid): array
        {
            $path = '/users/' . rawurlencode((string) $uid);
            return array_values(self::map(self::pages($path, 'clients', 'id'), 'id'));
        }

        /** Null if there is no such client, or it has shown no token. */
        public static function getUidByClientId($client_id): ?string
        {
            return self::client($client_id)['user'] ?? null;
        }

        /** Without a group: all clients. */
        public static function getClientCountByGroup($group = ''): int
        {
            if ((string) $group === '') return self::ask('/stats')['clients'];
            return self::ask('/groups/' . rawurlencode((string) $group))['clients'];
        }

        // The lists have each id as key and as value.

        public static function getAllClientIdList(): array
        {
            return self::map(self::clients(), 'id');
        }

        /** @param string|int|array $group one, or a list: members of any of these */
        public static function getClientIdListByGroup($group): array
        {
            return self::map(self::clients($group), 'id');
        }

        public static function getUidListByGroup($group): array
        {
            return self::map(self::clients($group), 'user');
        }

        public static function getUidCountByGroup($group): int
        {
            return count(self::getUidListByGroup($group));
        }

        public static function getAllUidList(): array
        {
            return self::map(self::pages('/users', 'users', 'user'), 'user');
        }

        public static function getAllUidCount(): int
        {
            return count(self::getAllUidList());
        }

        public static function getAllGroupIdList(): array
        {
            return self::map(self::pages('/groups', 'groups', 'name'), 'name');
        }

        /** @return array<string, int> the number of members of each group */
        public static function getAllGroupClientIdCount(): array
        {
            $groups = iterator_to_array(self::pages('/groups', 'groups', 'name'), false);
            return array_column($groups, 'clients', 'name');
        }

        public static function getAllGroupClientIdList(): array
        {
            return self::byGroup('id');
        }

        public static function getAllGroupUidList(): array
        {
            return self::byGroup('user');
        }

        public static function getAllGroupUidCount(): array
        {
            return array_map('count', self::byGroup('user'));
        }

        /** The session of each client, or of each member of a group. */
        public static function getAllClientSessions($group = ''): array
        {
            $sessions = [];
            foreach (self::clients((string) $group === '' ? null : $group) as $client) {
                $sessions[$client['id']] = $client['info'] ?? [];
            }
            return $sessions;
        }

        /** The latest messages of a group that has a history, or the first ones after an offset. */
        public static function history($group, ?int $since = null, int $limit = 100): array
        {
            $query = http_build_query(['since' => $since, 'limit' => $limit]);
            return self::ask('/groups/' . rawurlencode((string) $group) . "/history?$query");
        }

        /** False if a process did not reply to the latest question, so that something may miss. */
        public static function isComplete(): bool
        {
            return self::$complete;
        }

        // --- Several commands at once ---

        /**
         * Sends all commands of a function in one request. They take effect in their order; a
         * mistake in one of them prevents all. Each function returns null meanwhile; questions are
         * asked at once. Above 1,000 commands there are several requests.
         *
         *     Stormo::batch(function () {
         *         Stormo::joinGroupByUid('ada', 'room.1');
         *         Stormo::sendToGroup('room.1', 'Ada is here.');
         *     });
         *
         * @param callable|array $commands or a list as of docs/api.md: [['cmd' => 'join', …], …]
         * @return array the result of each command. If one failed, Stormo\Exception has them.
         */
        public static function batch($commands): array
        {
            if (self::$queue !== null) throw self::usage('a batch cannot contain another one');
            if (!is_array($commands)) {
                self::$queue = [];
                try {
                    $commands();
                    $commands = self::$queue;
                } finally {
                    self::$queue = null;
                }
            }
            $results = [];
            foreach (array_chunk($commands, self::COMMANDS_MAX) as $some) {
                try {
                    $answer = self::request('POST', '/batch', ['commands' => $some]);
                } catch (Stormo\Exception $e) {
                    $e->results = array_merge($results, $e->results);
                    throw $e;
                }
                $results = array_merge($results, $answer['results']);
            }
            return self::checked($results);
        }

        // --- Tokens: docs/access.md ---

        /** The secret with which token() signs: the first line of the server's secret-file. */
        public static function useTokenSecret(string $secret): void
        {
            $secret = rtrim(explode("\n", $secret, 2)[0]);
            if (strlen($secret) < 32) throw self::usage('the secret must have at least 32 bytes');
            self::$secret = $secret;
        }

        public static function useTokenSecretFile(string $path): void
        {
            $text = is_readable($path) ? file_get_contents($path) : false;
            if ($text === false) throw self::usage("the secret file $path cannot be read");
            self::useTokenSecret($text);
        }

        /**
         * A token (JWT, HS256) for the page of a user whose password you have checked:
         *
         *     Stormo::useTokenSecretFile('/etc/stormo/tokens.secret');
         *     $token = Stormo::token('ada', ['chat'], ['chat' => 'send', 'room.*' => 'join,send']);
         *
         * @param array $groups the client may join these; with the group commands it is a member
         * @param array $rights pattern => 'join', 'send', 'history', 'presence', several with
         *     commas or as a list, or 'all'
         * @param int $ttl seconds until it expires
         * @param array $claims further ones: ['info' => ['name' => 'Ada'], 'jti' => '7']
         */
        public static function token(
            $user, array $groups = [], array $rights = [], int $ttl = 3600, array $claims = []
        ): string {
            if (self::$secret === '') throw self::usage('call useTokenSecretFile() before token()');
            if ((string) $user === '') throw self::usage('the user must not be empty');
            $now = time();
            $claims += ['sub' => (string) $user, 'iat' => $now, 'exp' => $now + $ttl];
            if ($groups) $claims['groups'] = array_values(array_map('strval', $groups));
            foreach ($rights as $pattern => $may) {
                $may = is_array($may) ? $may : array_map('trim', explode(',', (string) $may));
                $known = ['join', 'send', 'history', 'presence', 'all'];
                if ($unknown = array_diff($may, $known)) {
                    $wrong = reset($unknown);
                    throw self::usage("'$wrong' is no right: write pattern => right, with "
                        . 'the rights ' . implode(', ', $known));
                }
                $right = ['groups' => (string) $pattern];
                if (!in_array('all', $may, true)) $right['may'] = array_values($may);
                $claims['rights'][] = $right;
            }
            if (isset($claims['info'])) $claims['info'] = (object) $claims['info'];
            $text = self::base64url('{"alg":"HS256","typ":"JWT"}') . '.'
                . self::base64url(self::json($claims));
            return $text . '.' . self::base64url(hash_hmac('sha256', $text, self::$secret, true));
        }

        public static function __callStatic(string $name, array $arguments)
        {
            if (isset(self::ALIASES[$name])) {
                return call_user_func_array([self::class, self::ALIASES[$name]], $arguments);
            }
            throw self::usage("there is no Stormo::$name()"
                . (isset(self::ELSEWHERE[$name]) ? ': ' . self::ELSEWHERE[$name] : ''));
        }

        // --- How requests are made ---

        private static function publish(array $to, $message, $exclude): ?array
        {
            $fields = $to + ($message instanceof Binary
                ? ['binary' => base64_encode($message->bytes)] : ['message' => $message]);
            if ($exclude !== null && $exclude !== []) $fields['except'] = self::excluded($exclude);
            return self::command('publish', $fields);
        }

        /** One message for each, in one batch if there are several. */
        private static function publishEach(string $kind, $ids, $message, $exclude): ?array
        {
            if (!is_array($ids)) return self::publish([$kind => (string) $ids], $message, $exclude);
            $send = function () use ($kind, $ids, $message, $exclude) {
                foreach ($ids as $id) self::publish([$kind => (string) $id], $message, $exclude);
            };
            if (self::$queue === null) return ['results' => self::batch($send)];
            $send();
            return null;
        }

        private static function excluded($exclude): array
        {
            $exclude = is_array($exclude) ? $exclude : [$exclude];
            $isNamed = isset($exclude['user']) || isset($exclude['client']);
            $list = [];
            foreach ($isNamed ? $exclude : ['client' => $exclude] as $kind => $ids) {
                foreach ((array) $ids as $id) $list[] = [$kind => (string) $id];
            }
            return $list;
        }

        private static function member(string $command, string $kind, $id, $group): ?array
        {
            return self::command($command, [$kind => (string) $id, 'group' => (string) $group]);
        }

        private static function close(
            string $kind, $id, $message, int $code, string $reason
        ): ?array {
            $fields = [$kind => (string) $id, 'code' => $code, 'reason' => $reason];
            if ($message === null) return self::command('disconnect', $fields);
            $send = function () use ($kind, $id, $message, $fields) {
                self::publish([$kind => (string) $id], $message, null);
                self::command('disconnect', $fields);
            };
            if (self::$queue === null) return self::batch($send)[1];
            $send();
            return null;
        }

        private static function command(string $name, array $fields): ?array
        {
            if (self::$queue === null) {
                $answer = self::request('POST', "/$name", $fields);
                if (isset($answer['results'])) self::checked($answer['results']);
                return $answer;
            }
            self::$queue[] = ['cmd' => $name] + $fields;
            return null;
        }

        /** Throws for the first result with an error; else returns the results. */
        private static function checked(array $results): array
        {
            foreach ($results as $at => $result) {
                self::checked($result['results'] ?? []);
                if (!isset($result['error'])) continue;
                $error = $result['error'] + ['field' => ''];
                throw new Stormo\Exception($error['code'], "command $at: " . $error['message'], 200,
                    $error['field'], $results);
            }
            return $results;
        }

        private static function ask(string $path): array
        {
            $answer = self::request('GET', $path);
            self::$complete = $answer['complete'] ?? true;
            return $answer;
        }

        /** The elements of a list, from all its pages. */
        private static function pages(string $path, string $list, string $id): Generator
        {
            $after = '';
            $complete = true;
            do {
                $page = self::ask("$path?limit=1000" . $after);
                $complete = $complete && self::$complete;
                self::$complete = $complete;
                yield from $page[$list];
                $after = $page[$list] ? '&after=' . rawurlencode(end($page[$list])[$id]) : '';
            } while ($page['more'] && $after !== '');
        }

        /** Clients: all, or the members of a group or of a list of groups. */
        private static function clients($groups = null): Generator
        {
            $paths = ['/clients'];
            if ($groups !== null) {
                $paths = array_map(function ($group) {
                    return '/groups/' . rawurlencode((string) $group) . '/clients';
                }, (array) $groups);
            }
            foreach ($paths as $path) yield from self::pages($path, 'clients', 'id');
        }

        private static function map(iterable $elements, string $field): array
        {
            $map = [];
            foreach ($elements as $each) {
                if ($each[$field] !== null) $map[$each[$field]] = $each[$field];
            }
            return $map;
        }

        private static function byGroup(string $field): array
        {
            $map = [];
            foreach (self::clients() as $client) {
                if ($client[$field] === null) continue;
                foreach ($client['groups'] as $group) {
                    $map[$group][$client[$field]] = $client[$field];
                }
            }
            return $map;
        }

        /** Repeats the request until it has an answer. */
        private static function request(string $method, string $path, ?array $body = null): array
        {
            if (self::$url === '') throw self::usage('call Stormo::connect($url, $key) before');
            $headers = ['Authorization: Bearer ' . self::$key];
            if ($method === 'POST') {
                $headers[] = 'Content-Type: application/json';
                $headers[] = 'Idempotency-Key: ' . bin2hex(random_bytes(16));
            }
            $text = $body === null ? '' : self::json($body);
            for ($attempt = 0;; ++$attempt) {
                usleep((int) (1e6 * (self::WAITS[$attempt] ?? max(self::WAITS))));
                [$status, $answer] = extension_loaded('curl')
                    ? self::exchangeByCurl($method, "/v1$path", $headers, $text)
                    : self::exchangeByStream($method, "/v1$path", $headers, $text);
                $value = $status === 0 ? null : json_decode($answer, true);
                if ($status === 200 && is_array($value)) return $value;
                $problem = self::problem($status, $answer, $value);
                // 200: the answer is not whole.
                $isTemporary = in_array($status, [0, 200, 502, 503, 504], true);
                if (!$isTemporary || $attempt + 1 >= self::$options['attempts']) throw $problem;
            }
        }

        /** @param string $answer the body, or for status 0 why there is none */
        private static function problem(int $status, string $answer, $value): Stormo\Exception
        {
            $where = self::$socket === '' ? self::$url : 'unix://' . self::$socket;
            if ($status === 0) {
                return new Stormo\Exception('unreachable', "there is no answer from $where: "
                    . "$answer (is stormo running, with its API on that address?)");
            }
            if (!isset($value['error']['code'], $value['error']['message'])) {
                return new Stormo\Exception('unreachable', "$where has answered with status $status"
                    . ', and not as the API does (is it the address of api.listen?)', $status);
            }
            $error = $value['error'];
            return new Stormo\Exception($error['code'], $error['message'], $status,
                $error['field'] ?? '', $value['results'] ?? []);
        }

        /** @return array [status, body], or [0, why there is no answer] */
        private static function exchangeByCurl(
            string $method, string $path, array $headers, string $body
        ): array {
            // A connection must not be used by two processes.
            if (self::$curl === null || self::$processId !== getmypid()) self::$curl = curl_init();
            self::$processId = getmypid();
            curl_reset(self::$curl);
            $settings = [
                CURLOPT_URL => self::$url . $path,
                CURLOPT_CUSTOMREQUEST => $method,
                CURLOPT_HTTPHEADER => array_merge($headers, ['Expect:']),
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_NOSIGNAL => true,
                CURLOPT_PROXY => '',
                CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
                CURLOPT_CONNECTTIMEOUT_MS => (int) (1000 * self::$options['connectTimeout']),
                CURLOPT_TIMEOUT_MS => (int) (1000 * self::$options['timeout']),
            ];
            if ($method === 'POST') $settings[CURLOPT_POSTFIELDS] = $body;
            if (self::$socket !== '') $settings[CURLOPT_UNIX_SOCKET_PATH] = self::$socket;
            $caFile = self::$options['caFile'];
            if ($caFile !== '') $settings[CURLOPT_CAINFO] = $caFile;
            curl_setopt_array(self::$curl, $settings);
            $answer = curl_exec(self::$curl);
            if ($answer === false) return [0, curl_error(self::$curl)];
            return [curl_getinfo(self::$curl, CURLINFO_RESPONSE_CODE), $answer];
        }

        /** Without php-curl: a connection for each request. */
        private static function exchangeByStream(
            string $method, string $path, array $headers, string $body
        ): array {
            if (self::$socket !== '') throw self::usage('unix sockets need the extension php-curl');
            $context = stream_context_create(['http' => [
                'method' => $method,
                'header' => array_merge($headers, ['Connection: close']),
                'content' => $body,
                'timeout' => self::$options['timeout'],
                'protocol_version' => 1.1,
                'ignore_errors' => true,
                'follow_location' => 0,
            ], 'ssl' => array_filter(['cafile' => self::$options['caFile']])]);
            $stream = @fopen(self::$url . $path, 'rb', false, $context);
            if ($stream === false) {
                return [0, preg_replace('~^.*: ~', '', error_get_last()['message'] ?? 'no reason')];
            }
            $answer = stream_get_contents($stream);
            $meta = stream_get_meta_data($stream);
            fclose($stream);
            if ($answer === false || $meta['timed_out']) return [0, 'it did not answer in time'];
            return [(int) substr($meta['wrapper_data'][0], 9, 3), $answer];
        }

        private static function json(array $value): string
        {
            try {
                return json_encode($value, self::JSON);
            } catch (JsonException $e) {
                throw self::usage('this cannot be sent as JSON: ' . $e->getMessage()
                    . ' (for bytes that are no text: new Stormo\Binary($bytes))');
            }
        }

        private static function base64url(string $bytes): string
        {
            return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
        }

        private static function usage(string $message): Stormo\Exception
        {
            return new Stormo\Exception('usage', "Stormo: $message");
        }
    }
}
