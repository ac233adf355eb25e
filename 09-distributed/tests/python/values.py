# Without a word: pickles of the values below, one a line, in each protocol.
# With `check`: reads such lines, which must stand for the same values, in the same order.
import pickle
import sys

shared = 'shared'
values = [
    None, True, False, 0, 255, 65535, -1, 2**31 - 1, -2**31, 2**63 - 1, -2**63, 2**64, -2**100, 1.5, float('-inf'),
    '', 'häuser 🏠 \\ \n', 'x' * 300, b'', b'\x00\x80\xff', b'y' * 300, [], [1, [2]], (), (1,), (1, 2), (1, 2, 3),
    (1, 2, 3, 4), {}, {'a': 1, 2: [None]}, set(), {7}, frozenset([8]), [shared, shared], bytearray(b'ab'),
]
if sys.argv[1:] == ['check']:
    lines = sys.stdin.read().split()
    assert len(lines) == len(values), (len(lines), len(values))
    for line, value in zip(lines, values):
        back = pickle.loads(bytes.fromhex(line))
        assert back == value, (back, value)
        assert type(back) is type(value) or type(value) in (frozenset, bytearray), (back, value)
    print('all the same')
else:
    for value in values:
        print(*(pickle.dumps(value, protocol).hex() for protocol in range(pickle.HIGHEST_PROTOCOL + 1)))
