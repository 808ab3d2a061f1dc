"""Finding media below a folder."""

from mmmutual.utils.media_files import IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_files, find_folders


def test_files_of_a_tree(tmp_path):
    for name in ('b/x.MP4', 'a.avi', 'b/c/z.webm', 'a.txt', 'b/i.JPG', 'noext'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'folder.mp4').mkdir()
    relative = [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path, VIDEO_SUFFIXES)]
    assert relative == ['a.avi', 'b/c/z.webm', 'b/x.MP4']
    assert [path.name for path in find_files(tmp_path, IMAGE_SUFFIXES)] == ['i.JPG']


def test_find_folders(tmp_path):
    for name in ('b/c/1.JPG', 'b/2.png', 'a/3.txt', 'd/e/4.jpg', '5.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_folders(tmp_path, ('.jpg', '.png'))
    assert found == [tmp_path / name for name in ('.', 'b', 'b/c', 'd/e')]
