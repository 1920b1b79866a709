from reading import images

print(images())
