<?php
// A server in a directory of its own, WebSocket clients, and checks, for stormo_test.php.

const DEADLINE_SECONDS = 30;

function same($expected, $actual, string $what): void
{
    if ($expected === $actual) return;
    throw new LogicException("$what: expected " . json_encode($expected) . ', got ' . json_encode($actual));
}

function contains(string $part, string $text): void
{
    if (strpos($text, $part) === false) throw new LogicException("'$part' is missing in '$text'");
}

/** The exception that a function throws. */
function thrownBy(callable $function): Stormo\Exception
{
    try {
        $function();
    } catch (Stormo\Exception $e) {
        return $e;
    }
    throw new LogicException('nothing was thrown');
}

/** Repeats a question until its answer is the expected one. */
function await(callable $isTrue, string $what): void
{
    $end = microtime(true) + DEADLINE_SECONDS;
    while (!$isTrue()) {
        if (microtime(true) > $end) throw new LogicException("timed out: $what");
        usleep(10000);
    }
}

/** `stormo`, with an API, until this process ends. */
final class Server
{
    public $folder;
    public $secretFile;
    public $key;
    public $port;
    public $apiPort;
    private $program;

    public function __construct(string $program)
    {
        $this->program = $program;
        $this->folder = sys_get_temp_dir() . '/stormo-php-' . bin2hex(random_bytes(6));
        mkdir($this->folder, 0700);
        $this->secretFile = "$this->folder/tokens.secret";
        file_put_contents($this->secretFile, base64_encode(random_bytes(32)) . "\n");
        register_shutdown_function([$this, 'remove']);
        $this->run(['start', '-d', '--workers', '2', '--listen', 'websocket://127.0.0.1:0', '--api-listen',
            'http://127.0.0.1:0', '--api-listen', "unix://$this->folder/api.sock", '--history-groups', 'kept*',
            '--token-secret-file', $this->secretFile]);
        $this->key = trim(file_get_contents("$this->folder/stormo/api.key"));
        foreach (json_decode($this->run(['status', '--json']), true)['processes'] as $process) {
            if (!preg_match('~://127\.0\.0\.1:(\d+)~', $process['listen'] ?? '', $match)) continue;
            if ($process['name'] === 'api') $this->apiPort = (int) $match[1];
            if ($process['name'] === 'stormo') $this->port = (int) $match[1];
        }
    }

    public function api(): string
    {
        return "http://127.0.0.1:$this->apiPort";
    }

    public function run(array $words): string
    {
        $words = array_map('escapeshellarg', array_merge([$this->program], $words));
        exec("STORMO_RUNTIME_DIR=$this->folder " . implode(' ', $words) . ' 2>&1', $lines, $status);
        $output = implode("\n", $lines);
        if ($status !== 0) throw new LogicException(implode(' ', $words) . " ended with $status: $output");
        return $output;
    }

    public function stop(): void
    {
        if (file_exists("$this->folder/stormo/control.sock")) $this->run(['stop']);
    }

    public function remove(): void
    {
        $this->stop();
        exec('rm -r ' . escapeshellarg($this->folder));
    }
}

/** A client with the group commands. */
final class Client
{
    private $stream;

    public function __construct(int $port, string $token)
    {
        $this->stream = stream_socket_client("tcp://127.0.0.1:$port");
        stream_set_timeout($this->stream, DEADLINE_SECONDS);
        fwrite($this->stream, "GET /?token=$token HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            . "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            . 'Sec-WebSocket-Key: ' . base64_encode(random_bytes(16)) . "\r\n\r\n");
        $head = '';
        while (substr($head, -4) !== "\r\n\r\n") $head .= $this->read(1);
        contains(' 101 ', $head);
    }

    /** RFC 6455 5.2, for less than 126 bytes. */
    public function send(array $command): void
    {
        $text = json_encode($command);
        $mask = random_bytes(4);
        fwrite($this->stream, "\x81" . chr(0x80 | strlen($text)) . $mask
            . ($text ^ substr(str_repeat($mask, 32), 0, strlen($text))));
    }

    /** ['text' or 'binary', payload], or ['close', code]. */
    public function receive(): array
    {
        $head = $this->read(2);
        $size = ord($head[1]);
        if ($size === 126) $size = unpack('n', $this->read(2))[1];
        $payload = $this->read($size);
        switch (ord($head[0]) & 15) {
            case 1:
                return ['text', $payload];
            case 2:
                return ['binary', $payload];
            case 8:
                return ['close', unpack('n', $payload)[1]];
            default:
                return $this->receive();  // a ping
        }
    }

    private function read(int $size): string
    {
        $bytes = '';
        while (strlen($bytes) < $size) {
            $more = fread($this->stream, $size - strlen($bytes));
            if ($more === false || $more === '') throw new LogicException('the connection has ended');
            $bytes .= $more;
        }
        return $bytes;
    }
}

/** Between a client and the API: it breaks the connection in the place of the first answers. */
final class BreakingProxy
{
    public $port;
    private $process;
    private $pipes;

    public function __construct(int $apiPort, int $answersToDrop)
    {
        $words = [PHP_BINARY, '-n', __DIR__ . '/breaking_proxy.php', (string) $apiPort, (string) $answersToDrop];
        $pipes = [];
        $this->process = proc_open($words, [['pipe', 'r'], ['pipe', 'w']], $pipes);
        $this->pipes = $pipes;
        $this->port = (int) fgets($pipes[1]);
    }

    /** The number of connections that it has broken. */
    public function end(): int
    {
        fclose($this->pipes[0]);
        $broken = (int) fgets($this->pipes[1]);
        proc_close($this->process);
        return $broken;
    }
}
