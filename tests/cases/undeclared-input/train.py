from valohai import inputs

print(inputs("images").path(), inputs("labels").path())
