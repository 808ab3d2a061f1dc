"""What a kill must not leave: half a file, half a folder."""

import pytest

from mmmutual.utils.whole_output import whole_folder, write_text


def test_folder_appears_at_the_end(tmp_path):
    target = tmp_path / 'deep' / 'folder'
    with whole_folder(target) as partial:
        (partial / 'a.txt').write_text('a')
        assert not target.exists()
        assert partial.parent == target.parent  # one file system, so that the rename is a rename
    assert [path.name for path in target.iterdir()] == ['a.txt']
    assert [path.name for path in target.parent.iterdir()] == ['folder']


def fail_in_the_middle(target):
    with whole_folder(target) as partial:
        (partial / 'a.txt').write_text('a')
        raise KeyError('x')


def test_folder_does_not_appear_after_an_error(tmp_path):
    with pytest.raises(KeyError):
        fail_in_the_middle(tmp_path / 'folder')
    assert list(tmp_path.iterdir()) == []


def test_folder_replaces_what_a_killed_run_left(tmp_path):
    left = tmp_path / 'folder.partial'
    left.mkdir()
    (left / 'old.txt').write_text('old')
    with whole_folder(tmp_path / 'folder') as partial:
        (partial / 'new.txt').write_text('new')
    assert [path.name for path in (tmp_path / 'folder').iterdir()] == ['new.txt']


def test_folder_in_use_is_refused(tmp_path):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(FileExistsError, match='folder is there already'), whole_folder(tmp_path / 'folder'):
        pass


def test_text_is_replaced_at_once(tmp_path, monkeypatch):
    file = tmp_path / 'deep' / 'a.txt'
    write_text(file, 'first\n')
    monkeypatch.setattr('os.replace', lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_text(file, 'sécond\n')
    assert file.read_text() == 'first\n'
    monkeypatch.undo()
    write_text(file, 'sécond\n')
    assert file.read_bytes() == 'sécond\n'.encode()
    assert [path.name for path in file.parent.iterdir()] == ['a.txt']
